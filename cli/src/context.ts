import { join, resolve } from 'node:path';
import type { Transport } from '@cloister/protocol';
import { createTransport, systemClock, type Clock } from '@cloister/kit';
import { createAgent, createDaemonGateway, stateFolderOf, type Agent, type DaemonGateway, type DaemonProgram, type StateFolder } from '@cloister/agent';
import { buildReportPage, type ReportPageInput } from '@cloister/report-page';
import { jsonText } from './terminal/json-text.js';
import { createStyle, type Style } from './terminal/style.js';

/** What a command works with. */
export interface CliContext {
  /** Directory of all state. */
  readonly home: string;
  readonly state: StateFolder;
  readonly clock: Clock;
  readonly style: Style;
  /** A person watches stdout: lines may be rewritten. */
  readonly live: boolean;
  /** Columns that long text is broken for. */
  readonly width: number;
  /** One line, or several, on stdout. */
  readonly print: (text: string) => void;
  /** On stderr: progress and notes. */
  readonly note: (text: string) => void;
  readonly printJson: (value: unknown) => void;
  readonly settings: DaemonGateway['settings'];
  readonly daemon: DaemonProgram;
  /** The network. The first request starts the daemon of this machine, where services are its own and it does not run. */
  readonly transport: Transport;
  /** The network without this machine's daemon, which what is fetched from far away does not need. */
  readonly internet: Transport;
  /** A page that carries a report and verifies itself. */
  readonly buildPage: (input: ReportPageInput) => Promise<string>;
  readonly agent: () => Promise<Agent>;
  readonly ownerDir: (given: string | undefined) => string;
  /** What the process shall end with, unless something fails. */
  exitCode: number;
  /** What a failure shall end with, where a command gives that a meaning of its own. */
  failureExit: number | undefined;
  readonly close: () => void;
}

export interface ContextOptions {
  readonly home: string;
  /** The daemon's program; undefined where none is known. */
  readonly daemonProgram: string | undefined;
  readonly colours: boolean;
}

/** Where nobody watches, and where a terminal does not say. */
const USUAL_WIDTH = 80;

function widthOf({ isTTY, columns }: Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>): number {
  return isTTY && columns > 0 ? Math.min(Math.max(columns, 60), 110) : USUAL_WIDTH;
}

export function createContext({ home, daemonProgram, colours }: ContextOptions): CliContext {
  const state = stateFolderOf(home);
  const daemon = { home, program: daemonProgram };
  const note = (text: string): void => {
    process.stderr.write(`${text}\n`);
  };
  const { transport, settings, close } = createDaemonGateway({ ...daemon, clock: systemClock, note });
  const internet = createTransport();
  return {
    home,
    state,
    clock: systemClock,
    style: createStyle(colours),
    live: process.stdout.isTTY,
    width: widthOf(process.stdout),
    print: text => {
      process.stdout.write(`${text}\n`);
    },
    note,
    printJson: value => {
      process.stdout.write(`${jsonText(value)}\n`);
    },
    settings,
    daemon,
    transport,
    internet: internet.transport,
    buildPage: async input => buildReportPage(input),
    agent: async () => createAgent({ home, transport, serverUrl: (await settings()).server, clock: systemClock }),
    ownerDir: given => resolve(given ?? join(home, 'owner')),
    exitCode: 0,
    failureExit: undefined,
    close: () => {
      close();
      internet.close();
    }
  };
}
