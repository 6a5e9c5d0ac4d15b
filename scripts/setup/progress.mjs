const HEARTBEAT_MS = 8_000;

/**
 * Prints one line when a step starts to work and one when it is done, with its time; in between, where a step takes
 * long, what it last reported.
 */
export function createProgress({ quiet, write = text => process.stdout.write(text), now = () => performance.now() }) {
  const started = now();
  const sizes = [];
  let changed = false;
  return { step, summary, changed: () => changed };

  /** Run `work(report)`; `report(text)` says what is being done. It resolves to `{ changed, detail, sizes? }`. */
  async function step(title, work) {
    const begun = now();
    let current = '';
    let announced = false;
    const report = text => {
      current = text;
      if (!announced) line('...', title, text);
      announced = true;
    };
    const heartbeat = setInterval(() => current && line('...', title, `${current}, ${seconds(now() - begun)}`), HEARTBEAT_MS);
    try {
      const result = await work(report);
      changed ||= result.changed;
      sizes.push(...(result.sizes ?? []));
      if (result.changed || !quiet) line('ok', title, `${result.detail}, ${seconds(now() - begun)}`);
      return result;
    } finally {
      clearInterval(heartbeat);
    }
  }

  function summary() {
    if (quiet && !changed) return;
    const disk = sizes.map(({ title, bytes }) => `${title} ${megabytes(bytes)}`).join(', ');
    const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
    write(`Ready in ${seconds(now() - started)}. On disk: ${disk}; ${megabytes(total)} together (npm run reset removes it).\n`);
  }

  function line(mark, title, text) {
    write(`  ${mark.padEnd(4)} ${title.padEnd(16)} ${text}\n`);
  }
}

/** 12.34 s as `12.3 s`. */
export function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** Bytes in MB of a million bytes, as disks are sold. */
export function megabytes(bytes) {
  return bytes < 950_000 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.round(bytes / 1e6)} MB`;
}
