import type { AppError, Transport } from '@cloister/protocol';
import { systemClock, type Clock } from '@cloister/kit';
import { buildReportPage, type PageParts } from '@cloister/report-page';
import { createContext } from '../context.js';
import { createProgram } from '../program.js';

export interface RunHere {
  readonly stdout: string;
  /** What was said on stderr besides. */
  readonly notes: string;
  readonly exitCode: number;
  readonly error: unknown;
}

export interface RunHereOptions {
  readonly home: string;
  readonly internet: Transport;
  readonly clock?: Clock;
}

/** In the place of the page's program, which the build makes. */
const PARTS: PageParts = { script: '(()=>{"use strict"})();', style: 'body{margin:0}', licences: 'none' };

/** One command in this very process, with a network of the test's own; what goes wrong is given back. */
export async function runHere(args: readonly string[], { home, internet, clock = systemClock }: RunHereOptions): Promise<RunHere> {
  const [lines, notes]: [string[], string[]] = [[], []];
  const made = createContext({ home, daemonProgram: undefined, colours: false });
  const context = {
    ...made,
    clock,
    internet,
    buildPage: async (input: Parameters<typeof buildReportPage>[0]) => buildReportPage(input, PARTS),
    print: (text: string) => void lines.push(text),
    note: (text: string) => void notes.push(text),
    printJson: (value: unknown) => void lines.push(JSON.stringify(value))
  };
  const error: unknown = await createProgram(() => context).parseAsync([...args], { from: 'user' }).then(
    () => undefined,
    (cause: unknown) => cause
  );
  context.close();
  return { stdout: lines.join('\n'), notes: notes.join('\n'), exitCode: context.exitCode, error };
}

/** The code of what a command ended with. */
export function codeOf({ error }: RunHere): AppError['code'] | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? (error as AppError).code : undefined; // by its name, since a test may load the class twice
}
