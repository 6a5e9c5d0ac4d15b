/** What the environment says to the command line. Read once, here; the state directory is the agent's to read. */
export interface CliEnvironment {
  /** https://no-color.org: set and not empty. */
  readonly noColor: boolean;
  /** Show causes and stacks of failures: for people who work on Cloister. */
  readonly debug: boolean;
}

export function readCliEnvironment(): CliEnvironment {
  const noColor = process.env['NO_COLOR'];
  const debug = process.env['CLOISTER_DEBUG'];
  return { noColor: noColor !== undefined && noColor !== '', debug: debug === '1' };
}
