/** A run of whole units, or the rest of the stream. */
export interface Run {
  readonly bytes: Uint8Array;
  readonly last: boolean;
}

/**
 * Regroups a stream into runs of whole units. One unit is held back until a byte after it has come, because
 * whether a chunk is the last decides its nonce. The last run has at most one unit and may be empty.
 * Runs are as large as the pieces that come in, so a large read costs one turn of the event loop, not sixteen.
 */
export async function* inRuns(source: AsyncIterable<Uint8Array>, unit: number): AsyncGenerator<Run, undefined> {
  let pieces: Uint8Array[] = [];
  let held = 0;
  for await (const piece of source) {
    if (piece.length === 0) continue;
    pieces.push(piece);
    held += piece.length;
    if (held <= unit) continue;
    const bytes = joined(pieces);
    const whole = Math.floor((held - 1) / unit) * unit;
    yield { bytes: bytes.subarray(0, whole), last: false };
    // A copy, so that a small rest does not keep a large read alive.
    pieces = [bytes.slice(whole)];
    held -= whole;
  }
  yield { bytes: joined(pieces), last: true };
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
}
