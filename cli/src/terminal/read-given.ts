import { open } from 'node:fs/promises';
import { AppError } from '@cloister/protocol';

/**
 * A file that somebody named, or `-` for what is piped in. Whatever it is, a device too, no more is read than is asked for.
 * @throws AppError usage where it cannot be read | payload_too_large
 */
export async function readGiven(path: string, limit: number): Promise<Uint8Array> {
  if (path === '-') return collectUpTo(process.stdin, 'the input', limit);
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw new AppError('usage', `${path} cannot be read`, { cause, hint: 'Check the path.' });
  });
  // The stream closes the handle.
  const stream = handle.createReadStream();
  return collectUpTo(stream, path, limit);
}

async function collectUpTo(source: AsyncIterable<unknown>, name: string, limit: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const piece of source) {
      if (!(piece instanceof Uint8Array)) continue;
      size += piece.length;
      if (size > limit) throw new AppError('payload_too_large', `${name} is over ${limit} bytes`, { hint: 'Is it another file? What this command takes is smaller.' });
      pieces.push(piece);
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('usage', `${name} cannot be read`, { cause, hint: 'Give a file.' });
  }
  return Buffer.concat(pieces);
}
