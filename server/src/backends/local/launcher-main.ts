/**
 * Entry of the launcher process: `node launcher-main.js <instance directory>`. It outlives the daemon that started it.
 */
import { errorCode, runLauncher, type LauncherLog } from './launcher.js';

const log: LauncherLog = (event, fields) => {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), event, ...fields })}\n`);
};
// Node would print the error with its text. The daemon sees that the launcher is gone, and ends the instance.
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    log('crashed', { code: errorCode(error) });
    process.exit(1);
  });
}

const stop = new AbortController();
for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => stop.abort());

const [, , path] = process.argv;
if (path === undefined) throw new Error('usage: launcher-main.js <instance directory>');

await runLauncher(path, stop.signal, log);
