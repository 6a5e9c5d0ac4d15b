import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cloister, jsonOf, type CliEnd } from '../../e2e/harness/cli.js';
import { CHECKOUT } from '../../e2e/harness/checkout.js';
import { notebookOf } from '../../e2e/harness/notebooks.js';
import { eventually } from '../../e2e/harness/poll.js';
import { endProcessesOf, processesOf } from '../../e2e/harness/processes.js';
import { ensureDemoState } from '../../scripts/demo/state.mjs';
import { freePort } from '../../scripts/jupyter/launch.mjs';
import { JupyterServer, type JupyterApp } from './jupyter-server.js';

/** One analyst's machine with the demo's two owners, a workspace of her own, and Jupyter over it. */
export class World {
  /** Everything lies below; short, since paths of sockets have 107 bytes. */
  readonly root: string;
  readonly home: string;
  readonly workspace: string;
  readonly #servers: JupyterServer[] = [];

  constructor() {
    this.root = mkdtempSync('/tmp/clui-');
    this.home = join(this.root, 'h');
    this.workspace = join(this.root, 'w');
    mkdirSync(this.home, { mode: 0o700 });
    const leftOut = ['results', 'outputs', '.ipynb_checkpoints', '__pycache__'].map(name => join(CHECKOUT, 'demo', name));
    cpSync(join(CHECKOUT, 'demo'), this.workspace, { recursive: true, filter: from => !leftOut.includes(from) });
    // What tests put beside their notebooks is none of their business.
    writeFileSync(join(this.workspace, '.cloisterignore'), 'reports/\n');
  }

  /** Keys, sealed tables, policies and the analyst's trust, as `npm start` makes them. */
  async prepare(): Promise<void> {
    await ensureDemoState({ root: CHECKOUT, home: this.home, cloister: async args => this.json(args), report: () => undefined });
  }

  /** Runs the command over this state directory, in the workspace. */
  async cloister(...args: readonly string[]): Promise<CliEnd> {
    return cloister(this.home, args, this.workspace);
  }

  /** The reply of a command that must succeed. */
  async json(args: readonly string[]): Promise<unknown> {
    const end = await this.cloister(...args, '--json');
    if (end.code !== 0) throw new Error(`cloister ${args.join(' ')} ended with ${end.code}: ${end.stderr}${end.stdout}`);
    return end.stdout.trim() === '' ? {} : jsonOf(end);
  }

  /** Jupyter on a port that is kept over restarts. Its own state is apart from that of others of this world. */
  async startJupyter(app: JupyterApp): Promise<JupyterServer> {
    const server = new JupyterServer({ app, state: join(this.root, `${app}-${this.#servers.length}`), home: this.home, workspace: this.workspace, port: await freePort(0) });
    this.#servers.push(server);
    await server.start();
    return server;
  }

  /** Puts a notebook of code cells into the workspace. */
  writeNotebook(name: string, cells: readonly string[]): void {
    writeFileSync(join(this.workspace, name), notebookOf(cells));
  }

  /** Ends everything in order and removes it. @throws Error where something of it lives on by itself */
  async close(): Promise<void> {
    let left: readonly { readonly pid: number; readonly command: string }[] = [];
    try {
      for (const server of this.#servers) await server.stop();
      await this.cloister('stop');
      await eventually('end of the daemon', () => processesOf(this.root).length === 0, { within: 15_000, pauseMs: 50 }).catch(() => undefined);
      left = processesOf(this.root);
    } finally {
      await endProcessesOf(this.root);
      rmSync(this.root, { recursive: true, force: true });
    }
    if (left.length > 0) throw new Error(`still running after the end: ${left.map(({ pid, command }) => `${pid} ${command}`).join('; ')}`);
  }
}
