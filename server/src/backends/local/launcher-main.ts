/**
 * Entry of the launcher process: `node launcher-main.js <instance directory>`. It outlives the daemon that started it.
 */
import { runLauncher } from './launcher.js';

const stop = new AbortController();
for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => stop.abort());

const [, , path] = process.argv;
if (path === undefined) throw new Error('usage: launcher-main.js <instance directory>');

await runLauncher(path, stop.signal, (event, fields) => {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), event, ...fields })}\n`);
});
