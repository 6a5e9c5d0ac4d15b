import type { CommandRegistry } from '@lumino/commands';
import type { IDisposable } from '@lumino/disposable';
import type { TranslationBundle } from '@jupyterlab/translation';
import { visibleLine } from '@cloister/protocol';
import { cloisterIcon } from '../icons';
import type { IOpenNotebooks } from '../submit/open-notebooks';
import { CommandIDs } from './ids';

/** A path as JupyterLab names it, taken apart. */
export interface IPlace {
  /** Empty for Jupyter Server's own files. */
  readonly drive: string;
  /** Relative to Jupyter Server's root. */
  readonly path: string;
}

export interface ISubmitCommandDeps {
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
  readonly notebooks: IOpenNotebooks;
  /** The path of the notebook in front, and of the one selected in the file browser. */
  readonly openPath: () => string | undefined;
  readonly selectedPath: () => string | undefined;
  readonly placeOf: (path: string) => IPlace;
  /** Whether to save the notebook of this name and go on. */
  readonly askToSave: (name: string) => Promise<boolean>;
  /** Says why nothing happens. */
  readonly tell: (sentence: string) => void;
  /** Opens the panel, or brings it forward. `restored`: JupyterLab restores its layout. */
  readonly open: (path: string, options: { readonly restored: boolean }) => void;
}

/** Jupyter's own collaboration keeps Jupyter Server's files under this drive. */
const SERVER_DRIVES: ReadonlySet<string> = new Set(['', 'RTC']);

const ARGS = {
  type: 'object',
  properties: {
    path: { type: 'string', description: 'Path of a notebook; without it the open notebook is submitted.' },
    fromBrowser: { type: 'boolean', description: 'Submit the notebook that is selected in the file browser.' },
    restored: { type: 'boolean', description: 'The panel comes back with the layout, and nobody is asked anything.' },
    isPalette: { type: 'boolean', description: 'Called from the command palette, which shows no icons.' }
  }
} as const;

/** Opens the Submit panel of a notebook, which is on disk as it is open. */
export function addSubmit(deps: ISubmitCommandDeps): IDisposable {
  const { commands, trans } = deps;
  return commands.addCommand(CommandIDs.submit, {
    label: args => (args['isPalette'] === true ? trans.__('Submit Notebook to TEE') : trans.__('Submit to TEE')),
    caption: trans.__('Submit to TEE: run this notebook on owners’ data, in a trusted execution environment'),
    icon: args => (args['isPalette'] === true ? undefined : cloisterIcon),
    describedBy: { args: ARGS },
    isEnabled: args => typeof args['path'] === 'string' || args['fromBrowser'] === true || deps.openPath() !== undefined,
    execute: async args => {
      const given = args['path'];
      const named = typeof given === 'string' ? given : args['fromBrowser'] === true ? deps.selectedPath() : deps.openPath();
      const path = acceptablePath(named, deps);
      if (path === undefined) return;
      const restored = args['restored'] === true;
      if (!restored && deps.notebooks.isDirty(path) && !(await savedOnWish(path, deps))) return;
      deps.open(path, { restored });
    }
  });
}

/** The path as the agent takes it; undefined, and said why, where it takes none. */
function acceptablePath(named: string | undefined, { placeOf, tell, trans }: ISubmitCommandDeps): string | undefined {
  if (named === undefined || named === '') {
    tell(trans.__('Open a notebook first; then submit it.'));
    return undefined;
  }
  const { drive, path } = placeOf(named);
  if (!SERVER_DRIVES.has(drive)) {
    tell(trans.__('Only notebooks among Jupyter Server’s own files can be submitted; this one is on “%1”. Save a copy there.', visibleLine(drive, 40)));
    return undefined;
  }
  if (!path.endsWith('.ipynb')) {
    tell(trans.__('Only notebooks can be submitted: files whose names end in .ipynb.'));
    return undefined;
  }
  return path;
}

async function savedOnWish(path: string, { notebooks, askToSave, tell, trans }: ISubmitCommandDeps): Promise<boolean> {
  const name = visibleLine(path.split('/').at(-1) ?? path, 80);
  if (!(await askToSave(name))) return false;
  if (await notebooks.save(path)) return true;
  tell(trans.__('%1 was not saved, so nothing was sent. Your edits are still open.', name));
  return false;
}
