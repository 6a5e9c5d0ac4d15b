import { AppError } from '@cloister/protocol';

/**
 * Runs the main function of a service's process. A failure is told on stderr in words, with its code in parentheses,
 * by which whoever started the process tells one reason from another; the exit code is 1.
 */
export async function runService(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    const text = error instanceof AppError ? `${error.detail}\n${error.hint} (${error.code})` : String(error);
    process.stderr.write(`${text}\n`);
    process.exitCode = 1;
  }
}

/** Until somebody asks the process to end; gives the signal's name. */
export async function untilToldToEnd(): Promise<string> {
  return new Promise(resolve => {
    for (const name of ['SIGTERM', 'SIGINT']) process.once(name, () => resolve(name));
  });
}
