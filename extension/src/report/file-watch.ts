import type { IDisposable } from '@lumino/disposable';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { Contents } from '@jupyterlab/services';

/** As often as the file browser itself looks. */
const EVERY_MS = 10_000;

export interface IFileWatchOptions {
  readonly context: DocumentRegistry.Context;
  readonly contents: Contents.IManager;
  /** The file went, or cannot be read. */
  readonly onLost: (error: unknown) => void;
}

/**
 * Reads a document anew when its file changed on disk, which JupyterLab by itself does not notice. Asks only for the time of
 * the last change, and only while the page is seen.
 */
export class FileWatch implements IDisposable {
  constructor(options: IFileWatchOptions) {
    this.#options = options;
    options.contents.fileChanged.connect(this.#onFileChanged, this);
  }

  isDisposed = false;

  /** The page is seen: looks now, and from time to time. */
  start(): void {
    this.stop();
    this.#timer = window.setInterval(() => void this.#lookIfSeen(), EVERY_MS);
    void this.look();
  }

  stop(): void {
    window.clearInterval(this.#timer);
  }

  /** Reads the file if it is another one than it was. While Jupyter Server does not answer, all stays as it is. */
  async look(): Promise<'there' | 'lost'> {
    const { context, contents, onLost } = this.#options;
    if (this.isDisposed || !context.isReady || context.isDisposed) return 'there';
    try {
      const { last_modified: changed } = await contents.get(context.path, { content: false });
      if (changed !== context.contentsModel?.last_modified) await context.revert();
      return 'there';
    } catch (error) {
      if (!isMissing(error)) return 'there';
      onLost(error);
      return 'lost';
    }
  }

  dispose(): void {
    if (this.isDisposed) return;
    this.isDisposed = true;
    this.stop();
    this.#options.contents.fileChanged.disconnect(this.#onFileChanged, this);
  }

  readonly #options: IFileWatchOptions;
  #timer = 0;

  async #lookIfSeen(): Promise<void> {
    if (!document.hidden) await this.look();
  }

  #onFileChanged(_sender: Contents.IManager, { type, newValue }: Contents.IChangedArgs): void {
    if (type === 'save' && newValue?.path === this.#options.context.path) void this.look();
  }
}

/** Jupyter Server answered, and there is no such file. */
function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'response' in error && error.response instanceof Response && error.response.status === 404;
}
