import type { Command } from 'commander';
import { resolve } from 'node:path';
import type { CliContext } from '../context.js';
import { printableLine } from '../terminal/printable.js';
import { formatBytes } from '../terminal/quantities.js';
import { formatTable } from '../terminal/table.js';
import type { AddCommand } from './command.js';

interface MockFlags {
  readonly folder?: string;
  readonly replace?: true;
  readonly json?: true;
}

export const addAssets: AddCommand = (program, open) => {
  const assets = program.command('assets').description('What owners whom you trust publish.');
  assets
    .command('list', { isDefault: true })
    .description('List assets by the names that notebooks use.')
    .option('--json', 'one JSON object on stdout')
    .action(async (flags: { readonly json?: true }, command: Command) => list(open(command), flags.json === true));
  assets
    .command('mocks')
    .description('Fetch mocks into mocks/, for all assets or those named. A file that differs is left alone.')
    .argument('[name...]', 'owner/asset')
    .option('--folder <dir>', 'where mocks/ goes (default: here)')
    .option('--replace', 'also where another file is there')
    .option('--json', 'one JSON object on stdout')
    .action(async (names: string[], flags: MockFlags, command: Command) => mocks(open(command), names, flags));
};

async function list(context: CliContext, json: boolean): Promise<void> {
  const { assets, unverified } = await (await context.agent()).catalog();
  if (json) {
    context.printJson({ assets: assets.map(({ name, asset, descriptor }) => ({ name, asset, version: descriptor.version, kind: descriptor.kind, mediaType: descriptor.mediaType, size: descriptor.size, mock: descriptor.mock !== undefined, broker: descriptor.custodians[0].url })), unverified });
    return;
  }
  const rows = assets.map(({ name, descriptor }) => [
    printableLine(name), descriptor.kind, String(descriptor.version), formatBytes(descriptor.size), descriptor.mock === undefined ? '' : 'mock', descriptor.schema === undefined ? '' : `${descriptor.schema.columns.length} columns`
  ]);
  if (rows.length === 0) context.print('Nobody whom you trust publishes anything here.');
  else context.print(formatTable(rows, { head: ['NAME', 'KIND', 'VERSION', 'SEALED', 'MOCK', 'SCHEMA'], align: ['left', 'left', 'right', 'right'] }));
  for (const { asset, why } of unverified) context.note(context.style.caution(`not used: ${printableLine(asset)}: ${printableLine(why)}`));
}

async function mocks(context: CliContext, names: readonly string[], { folder, replace, json }: MockFlags): Promise<void> {
  const agent = await context.agent();
  const results = await agent.fetchMocks({ folder: resolve(folder ?? '.'), replace: replace === true, ...(names.length === 0 ? {} : { names }) });
  if (json === true) context.printJson({ mocks: results });
  else {
    const words = { fetched: 'fetched', current: 'there already', differs: 'DIFFERS, left alone: --replace takes the owner’s', none: 'the owner offers none' } as const;
    context.print(formatTable(results.map(mock => [printableLine(mock.name), words[mock.state], printableLine(mock.path ?? '')])));
  }
  if (results.some(mock => mock.state === 'differs')) context.exitCode = 1;
}
