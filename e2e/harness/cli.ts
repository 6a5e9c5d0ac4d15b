import { spawn } from 'node:child_process';
import { parseJson } from '@cloister/protocol';
import { CLI } from './checkout.js';

export interface CliEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built `cloister` command over a state directory, as a user in a folder would. */
export async function cloister(home: string, args: readonly string[], cwd = '/'): Promise<CliEnd> {
  // CLOISTER_HOME and not --home: that is how most people name a state directory. Nothing else of the test's environment.
  const child = spawn(process.execPath, [CLI, ...args], { cwd, env: { PATH: process.env['PATH'] ?? '', HOME: home, CLOISTER_HOME: home }, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said.stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said.stderr += chunk));
  const code = await new Promise<number>((resolve, reject) => child.once('error', reject).once('close', status => resolve(status ?? -1)));
  return { code, ...said };
}

/** The one JSON object on stdout of a command with --json. */
export const jsonOf = ({ stdout }: CliEnd): unknown => parseJson(new TextEncoder().encode(stdout.trim()));
