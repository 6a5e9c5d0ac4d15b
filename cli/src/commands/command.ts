import { InvalidArgumentError, type Command } from 'commander';
import type { CliContext } from '../context.js';

/** Adds one subcommand. `open` gives the context of a run, by the options of the whole command line. */
export type AddCommand = (program: Command, open: (command: Command) => CliContext) => void;

/** For options that are whole numbers. */
export function wholeNumber(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidArgumentError('Give a whole number.');
  return Number(text);
}

/** For options that may come more than once. */
export function collectText(text: string, sofar: readonly string[] = []): string[] {
  return [...sofar, text];
}
