import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import * as z from 'zod/mini';
import { COUNT_ROWS } from '../../e2e/harness/notebooks.js';
import { runByCommand } from './jobs.js';
import type { World } from './world.js';

const Opened = z.object({ folder: z.string(), report: z.string() });

/** A real report of a job that succeeded, its outputs opened beside it. */
export interface RealReport {
  /** Relative to the workspace. */
  readonly path: string;
  readonly folder: string;
}

/** Runs a short job by the command line and opens its outputs. */
export async function makeReport(world: World): Promise<RealReport> {
  world.writeNotebook('reported.ipynb', COUNT_ROWS);
  const { job, state } = await runByCommand(world, 'reported.ipynb');
  if (state !== 'succeeded') throw new Error(`the job that was to make a report ended as ${state}`);
  const { folder, report } = Opened.parse(await world.json(['outputs', job]));
  return { path: relative(world.workspace, report), folder: relative(world.workspace, folder) };
}

/** A changed copy of a report, in a folder of its own; gives its path relative to the workspace. */
export function changedReport(world: World, { path }: RealReport, { name, change }: { readonly name: string; readonly change: (text: string) => string }): string {
  const copy = join('reports', name);
  mkdirSync(dirname(join(world.workspace, copy)), { recursive: true });
  writeFileSync(join(world.workspace, copy), change(readFileSync(join(world.workspace, path), 'utf8')));
  return copy;
}

/** The report alone, as somebody mails it. */
export function mailedReport(world: World, { path }: RealReport): string {
  const copy = join('reports', basename(path));
  mkdirSync(dirname(join(world.workspace, copy)), { recursive: true });
  copyFileSync(join(world.workspace, path), join(world.workspace, copy));
  return copy;
}
