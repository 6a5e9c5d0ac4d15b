// @vitest-environment jsdom
import { CommandRegistry } from '@lumino/commands';
import { expect, test, vi } from 'vitest';
import { FakeNotebooks, trans } from '../submit/testing/rig';
import { CommandIDs } from './ids';
import { addSubmit, type ISubmitCommandDeps } from './submit';

vi.mock('../icons', () => ({ cloisterIcon: undefined }));

interface IRig {
  readonly commands: CommandRegistry;
  readonly notebooks: FakeNotebooks;
  readonly opened: [string, boolean][];
  readonly asked: string[];
  readonly told: string[];
}

function rig(changes: Partial<ISubmitCommandDeps> = {}): IRig {
  const all: IRig = { commands: new CommandRegistry(), notebooks: new FakeNotebooks(), opened: [], asked: [], told: [] };
  addSubmit({
    commands: all.commands,
    notebooks: all.notebooks,
    trans,
    openPath: () => 'study/open.ipynb',
    selectedPath: () => 'study/selected.ipynb',
    placeOf: path => {
      const [drive = '', local] = path.split(':');
      return local === undefined ? { drive: '', path } : { drive, path: local };
    },
    askToSave: async name => {
      all.asked.push(name);
      return Promise.resolve(true);
    },
    tell: sentence => all.told.push(sentence),
    open: (path, { restored }) => all.opened.push([path, restored]),
    ...changes
  });
  return all;
}

test.each([
  ['the open notebook, whatever is selected elsewhere', {}, 'study/open.ipynb'],
  ['the selected one, where the file browser’s menu was used', { fromBrowser: true }, 'study/selected.ipynb'],
  ['the one that is named', { path: 'x/named.ipynb' }, 'x/named.ipynb'],
  ['a file of Jupyter’s own collaboration', { path: 'RTC:x/shared.ipynb' }, 'x/shared.ipynb']
])('submits %s', async (_, args, path) => {
  const { commands, opened, asked } = rig();
  await commands.execute(CommandIDs.submit, args);
  expect(opened).toEqual([[path, false]]);
  expect(asked).toEqual([]);
});

test.each([
  ['nothing is open', { openPath: () => undefined }, {}, /Open a notebook first/],
  ['nothing is selected', { selectedPath: () => undefined }, { fromBrowser: true }, /Open a notebook first/],
  ['it is on another drive', {}, { path: 's3:a.ipynb' }, /this one is on “s3”/],
  ['it is no notebook', {}, { path: 'a.py' }, /Only notebooks/]
] as const)('says why nothing happens where %s', async (_, deps, args, words) => {
  const { commands, opened, told } = rig(deps);
  // The palette and menus leave it out; whoever calls it all the same is told.
  await commands.execute(CommandIDs.submit, args).catch(() => undefined);
  expect(opened).toEqual([]);
  expect(told.join()).toMatch(words);
});

test('without an open notebook the command is closed', () => {
  expect(rig({ openPath: () => undefined }).commands.isEnabled(CommandIDs.submit)).toBe(false);
  expect(rig().commands.isEnabled(CommandIDs.submit)).toBe(true);
});

test('unsaved edits: saved on wish, then it goes on', async () => {
  const { commands, notebooks, opened, asked } = rig();
  notebooks.dirty.add('study/open.ipynb');
  await commands.execute(CommandIDs.submit);
  expect(asked).toEqual(['open.ipynb']);
  expect(notebooks.isDirty('study/open.ipynb')).toBe(false);
  expect(opened).toHaveLength(1);
});

test('unsaved edits: cancelled, nothing happens and nothing is saved', async () => {
  const { commands, notebooks, opened, told } = rig({ askToSave: async () => Promise.resolve(false) });
  notebooks.dirty.add('study/open.ipynb');
  await commands.execute(CommandIDs.submit);
  expect(notebooks.isDirty('study/open.ipynb')).toBe(true);
  expect([opened, told]).toEqual([[], []]);
});

test('unsaved edits: a save that fails keeps them, and says so', async () => {
  const { commands, notebooks, opened, told } = rig();
  notebooks.dirty.add('study/open.ipynb');
  notebooks.saves = false;
  await commands.execute(CommandIDs.submit);
  expect(told).toEqual(['open.ipynb was not saved, so nothing was sent. Your edits are still open.']);
  expect(opened).toEqual([]);
});

test('a restored panel asks nothing', async () => {
  const { commands, notebooks, opened, asked } = rig();
  notebooks.dirty.add('study/open.ipynb');
  await commands.execute(CommandIDs.submit, { path: 'study/open.ipynb', restored: true });
  expect(opened).toEqual([['study/open.ipynb', true]]);
  expect(asked).toEqual([]);
});
