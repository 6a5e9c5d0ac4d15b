import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Signal, type ISignal } from '@lumino/signaling';

/** One change of an open notebook. `clean`: its edits were taken back. */
export interface INotebookChange {
  readonly path: string;
  readonly change: 'edited' | 'saved' | 'clean';
}

/** The notebooks that are open, by their paths. */
export interface IOpenNotebooks {
  readonly changed: ISignal<IOpenNotebooks, INotebookChange>;
  /** Whether it is open and has edits that are not on disk. */
  isDirty(path: string): boolean;
  /** True where it is on disk as it is open, also where it is not open at all. Never throws: the notebook says why it was not saved. */
  save(path: string): Promise<boolean>;
}

/** Watches the notebooks of JupyterLab; without a tracker none is open. */
export class OpenNotebooks implements IOpenNotebooks {
  /** @param localPath a drive's path as Jupyter Server has it */
  constructor(tracker: INotebookTracker | null, localPath: (path: string) => string) {
    this.#tracker = tracker;
    this.#localPath = localPath;
    tracker?.forEach(panel => this.#watch(panel));
    tracker?.widgetAdded.connect((_, panel) => this.#watch(panel), this);
  }

  readonly changed = new Signal<this, INotebookChange>(this);

  isDirty(path: string): boolean {
    return this.#find(path)?.context.model.dirty ?? false;
  }

  async save(path: string): Promise<boolean> {
    const context = this.#find(path)?.context;
    if (context === undefined) return true;
    try {
      await context.save();
    } catch {
      // The context has shown its own dialog about it.
      return false;
    }
    return !context.model.dirty;
  }

  readonly #tracker: INotebookTracker | null;
  readonly #localPath: (path: string) => string;

  #find(path: string): NotebookPanel | undefined {
    return this.#tracker?.find(panel => this.#localPath(panel.context.path) === path);
  }

  /** The context ends with its panel, and its signals with it. */
  #watch({ context }: NotebookPanel): void {
    const tell = (change: INotebookChange['change']): void => this.changed.emit({ path: this.#localPath(context.path), change });
    context.saveState.connect((_, state) => {
      if (state === 'completed') tell('saved');
    }, this);
    context.model.stateChanged.connect((model, { name }) => {
      if (name === 'dirty') tell(model.dirty ? 'edited' : 'clean');
    }, this);
  }
}
