import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { CHECKOUT } from '../../e2e/harness/checkout.js';
import { launchJupyter, type LaunchedJupyter } from '../../scripts/jupyter/launch.mjs';

export type JupyterApp = 'lab' | 'notebook';

/** As a Hub gives it to a user. */
export const BASE_PATH = '/hub-like/user/ana/';

export interface JupyterPlace {
  readonly app: JupyterApp;
  /** Jupyter's own state. */
  readonly state: string;
  /** Cloister's state directory. */
  readonly home: string;
  readonly workspace: string;
  readonly port: number;
}

/**
 * A Jupyter as under a Hub: a login, XSRF checks, a base URL, and no token in its pages, so that every request of a page
 * stands on the cookie and on XSRF alone. (With a token in the page both would go unused.)
 */
export class JupyterServer {
  readonly #place: JupyterPlace;
  readonly #token = newToken();
  #running: LaunchedJupyter | undefined;

  constructor(place: JupyterPlace) {
    this.#place = place;
    this.disable([]);
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#place.port}`;
  }

  get baseUrl(): string {
    return `${this.origin}${BASE_PATH}`;
  }

  get token(): string {
    return this.#token;
  }

  /** What Jupyter, its kernels and the agent wrote since the last start. */
  readLog(): string {
    return this.#running === undefined ? '' : readFileSync(this.#running.log, 'utf8');
  }

  async start(): Promise<void> {
    const { app, state, home, workspace, port } = this.#place;
    this.#running = await launchJupyter({ root: CHECKOUT, home: state, workspace, port, token: this.#token, baseUrl: BASE_PATH, app, env: { CLOISTER_HOME: home } });
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  /** The theme of pages loaded from now on. */
  setTheme(theme: 'JupyterLab Light' | 'JupyterLab Dark' | 'JupyterLab Dark High Contrast'): void {
    const folder = join(this.#place.state, 'jupyter/settings/@jupyterlab/apputils-extension');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'themes.jupyterlab-settings'), JSON.stringify({ theme }));
  }

  /** Extensions and plugins that pages loaded from now on leave out. */
  disable(names: readonly string[]): void {
    const folder = join(this.#place.state, 'jupyter/config/labconfig');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const disabledExtensions = Object.fromEntries(names.map(name => [name, true]));
    writeFileSync(join(folder, 'page_config.json'), JSON.stringify({ token: '', disabledExtensions }));
  }
}

const newToken = (): string => randomBytes(24).toString('hex');
