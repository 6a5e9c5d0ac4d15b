import { dirname } from 'node:path';
import type { Command } from 'commander';
import { SERVER_ROUTES, callRoute } from '@cloister/protocol';
import { answers, requirePrivateDirectory } from '@cloister/kit';
import { findDaemonProcess, rememberGateway, startDaemonProcess, stopDaemonProcess } from '@cloister/agent';
import type { CliContext } from '../context.js';
import { printableLine } from '../terminal/printable.js';
import { formatTable } from '../terminal/table.js';
import type { AddCommand } from './command.js';

interface JsonFlag {
  readonly json?: true;
}

/** The daemon of this machine: every command starts it where it needs it, so these are for people who want to see. */
export const addDaemon: AddCommand = (program, open) => {
  program
    .command('start')
    .description('Start the daemon of this machine. Commands that need it do so themselves.')
    .option('--json', 'one JSON object on stdout')
    .action(async ({ json }: JsonFlag, command: Command) => start(open(command), json === true));
  program
    .command('stop')
    .description('Stop the daemon. Jobs that run go on, and the next daemon adopts them.')
    .option('--json', 'one JSON object on stdout')
    .action(async ({ json }: JsonFlag, command: Command) => stop(open(command), json === true));
  program
    .command('status')
    .description('Say whether the daemon runs and is ready. Starts nothing. Exit code 1 where it does not run.')
    .option('--json', 'one JSON object on stdout')
    .action(async ({ json }: JsonFlag, command: Command) => status(open(command), json === true));
};

async function start(context: CliContext, json: boolean): Promise<void> {
  const { gateway } = await context.settings();
  await requirePrivateDirectory(dirname(gateway));
  const running = await answers(gateway);
  const socket = running ? gateway : await startDaemonProcess(context.daemon, context.clock);
  if (!running) await rememberGateway(context.home, socket);
  if (json) context.printJson({ state: 'running', started: !running, gateway: socket });
  else context.print(running ? `The daemon runs already, at ${printableLine(socket)}.` : `The daemon listens at ${printableLine(socket)}.`);
}

async function stop(context: CliContext, json: boolean): Promise<void> {
  const outcome = await stopDaemonProcess(context.daemon, context.clock);
  if (json) context.printJson({ state: outcome });
  else context.print(outcome === 'stopped' ? 'The daemon has ended.' : 'No daemon runs for this state directory.');
}

async function status(context: CliContext, json: boolean): Promise<void> {
  const settings = await context.settings();
  await requirePrivateDirectory(dirname(settings.gateway));
  const [pid, running] = [await findDaemonProcess(context.daemon), await answers(settings.gateway)];
  const ready = running ? await isReady(context, settings.server) : 'not running';
  if (json) context.printJson({ state: running ? 'running' : 'not running', ready: ready === 'yes', ...(pid === undefined ? {} : { pid }), gateway: settings.gateway, home: context.home });
  else {
    context.print(formatTable([['daemon', running ? 'runs' : 'does not run'], ['ready', ready], ...(pid === undefined ? [] : [['pid', String(pid)]]), ['socket', printableLine(settings.gateway)], ['state', printableLine(context.home)]]));
  }
  if (!running || ready !== 'yes') context.exitCode = 1;
}

async function isReady({ transport }: CliContext, baseUrl: string): Promise<string> {
  try {
    const { status: word } = await callRoute({ transport, baseUrl }, SERVER_ROUTES.ready, {});
    return word === 'ok' ? 'yes' : 'no';
  } catch {
    return 'no';
  }
}
