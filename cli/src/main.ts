#!/usr/bin/env node
import { resolve } from 'node:path';
import { CommanderError, type Command } from 'commander';
import { readAgentEnvironment } from '@cloister/agent';
import { readCliEnvironment } from './config.js';
import { createContext, type CliContext, type ContextOptions } from './context.js';
import { reportFailure } from './failure.js';
import { createProgram } from './program.js';

const USAGE_EXIT = 2;

/** Of the command that runs, once it does. */
let context: CliContext | undefined;

/** Runs one command; gives the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const { noColor, debug } = readCliEnvironment();
  const program = createProgram(command => {
    context = createContext({ ...placesOf(command), colours: !noColor && process.stdout.isTTY });
    return context;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return context?.exitCode ?? 0;
  } catch (error) {
    // Commander has said what was wrong; --help and --version are no errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_EXIT;
    const code = reportFailure(error, { debug, colours: !noColor && process.stderr.isTTY, json: argv.includes('--json') });
    return context?.failureExit ?? code;
  } finally {
    context?.close();
  }
}

function placesOf(command: Command): Pick<ContextOptions, 'home' | 'daemonProgram'> {
  const { home }: { home?: string } = command.optsWithGlobals();
  const environment = readAgentEnvironment();
  return { home: home === undefined ? environment.home : resolve(home), daemonProgram: environment.daemonProgram };
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever read us has gone, as `| head` does. What was found counts all the same: 0 would be a verdict.
  if (error.code === 'EPIPE') process.exit(context?.exitCode ?? 0);
  throw error;
});

process.exitCode = await main(process.argv.slice(2));
