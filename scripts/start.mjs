// `npm start`: sets up what is missing, starts JupyterLab on the demo, and prints its URL. Ctrl-C ends all that it started.
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { cloisterCommand } from './demo/command.mjs';
import { ensureDemoState } from './demo/state.mjs';
import { answersWith, launchJupyter, runtimeFolder } from './jupyter/launch.mjs';
import { commandOf, until } from './jupyter/processes.mjs';
import { openTour } from './jupyter/tour.mjs';
import { HELP, readStartOptions } from './jupyter/start-options.mjs';
import { setUp } from './setup.mjs';
import { createProgress } from './setup/progress.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const home = resolve(process.env.CLOISTER_HOME ?? join(ROOT, '.cloister'));
const workspace = resolve(process.env.CLOISTER_WORKSPACE ?? join(ROOT, 'demo'));
const cloister = cloisterCommand({ root: ROOT, home });
const OTHER_START_MS = 120_000;

const say = text => process.stdout.write(`${text}\n`);

async function main() {
  const options = readStartOptions(process.argv.slice(2));
  if (options.help) return say(HELP);
  const told = untilToldToEnd();
  const running = await findRunning();
  if (running !== undefined) return sayRunning(running);
  if (!options.built) await setUp({ quiet: true });
  const lock = await lockStart();
  // Another `npm start` was a moment faster: its URL is ours.
  if (lock === undefined) return sayRunning(await waitForOther());
  const ours = createClosers();
  ours.add(async () => lock.release());
  try {
    await prepare(ours, told);
    if (told.happened()) return;
    const jupyter = await launchJupyter({ root: ROOT, home, workspace, ...options.jupyter });
    ours.add(() => jupyter.stop());
    await openTour(jupyter);
    say(`\nJupyterLab is ready: ${jupyter.url}\nCtrl-C ends it.`);
    const reason = await Promise.race([told.promise, jupyter.exited.then(code => ({ code }))]);
    if (typeof reason === 'string') say('\nEnding JupyterLab …');
    else if (reason.code === 0) say('\nJupyterLab was shut down.');
    else throw new Error(`JupyterLab ended by itself (${reason.code}). What it said last is in ${jupyter.log}.`);
  } finally {
    await ours.close();
    if (told.happened()) say('All has ended. npm start begins where you left off.');
  }
}

/** The demo's owners, tables and daemon. What was not running before us is ended with us. */
async function prepare(ours, told) {
  const before = await cloister(['status']).catch(() => ({}));
  if (before.state !== 'running') ours.add(endServices);
  const progress = createProgress({ quiet: true });
  await progress.step('demo data', async report => {
    const changed = await ensureDemoState({ root: ROOT, home, cloister, report });
    return { changed, detail: changed ? 'two owners, two sealed tables, two policies' : 'ready' };
  });
  if (!told.happened()) await cloister(['start']);
}

/** The daemon, and runners at work, which would outlive it. */
async function endServices() {
  await cloister(['stop']);
  const { LocalBackend } = await import(join(ROOT, 'server/lib/index.js'));
  const { layoutOf } = await import(join(ROOT, 'embedded/lib/layout.js'));
  const layout = layoutOf(home);
  if (!existsSync(layout.instances)) return;
  const backend = new LocalBackend({
    stateDir: layout.instances,
    keysDir: layout.simulator,
    imageDir: join(ROOT, 'runner/image'),
    socketRoot: layout.sockets
  });
  const atWork = (await backend.list()).filter(({ status }) => status !== 'terminated');
  for (const { name } of atWork) await backend.delete(name);
  if (atWork.length > 0) say(`${atWork.length === 1 ? 'One job was' : `${atWork.length} jobs were`} at work: tried again with the next npm start, as often as the owners allow.`);
}

/** A Jupyter for this state directory that answers now: what a second `npm start` is asked for. */
async function findRunning() {
  const folder = runtimeFolder(home);
  const files = existsSync(folder) ? readdirSync(folder).filter(name => /^jpserver-\d+\.json$/.test(name)) : [];
  for (const file of files) {
    const server = readServer(join(folder, file));
    if (server !== undefined && (await answersWith(server))) return `${server.origin}${server.base}lab/tree/README.ipynb?token=${server.token}`;
  }
  return undefined;
}

function readServer(file) {
  try {
    const { url, base_url: base, token, pid } = JSON.parse(readFileSync(file, 'utf8'));
    // Of a Jupyter that is gone: somebody else may listen on its port by now, and would be sent the token.
    if (!commandOf(pid).some(part => part.endsWith('serve.py'))) return undefined;
    return { origin: new URL(url).origin, base, token };
  } catch {
    return undefined;
  }
}

async function lockStart() {
  const { acquireLock } = await import(join(ROOT, 'kit/lib/index.js'));
  mkdirSync(join(home, 'jupyter'), { recursive: true, mode: 0o700 });
  try {
    return await acquireLock(join(home, 'jupyter', 'start.lock'));
  } catch (error) {
    if (error.code !== 'state_locked') throw error;
    return undefined;
  }
}

async function waitForOther() {
  let url;
  say('Another npm start is at work in this checkout. Waiting for it …');
  await until(OTHER_START_MS, async () => (url = await findRunning()) !== undefined);
  if (url === undefined) throw new Error('The other npm start does not get ready. End it with Ctrl-C, then run npm start again.');
  return url;
}

const sayRunning = url => say(`\nJupyterLab runs already: ${url}\nTo end it, press Ctrl-C where you started it.`);

/** Ends are done in the order opposite to the beginnings, each of them even where another fails. */
function createClosers() {
  const steps = [];
  return {
    add: step => steps.push(step),
    close: async () => {
      for (const step of steps.splice(0).reverse()) await step().catch(error => process.stderr.write(`${error.message}\n`));
    }
  };
}

/** Resolves to the first signal that asks us to end. Later ones change nothing: we are at it. */
function untilToldToEnd() {
  let signal;
  const promise = new Promise(resolve => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => resolve((signal ??= name)));
  });
  return { promise, happened: () => signal !== undefined };
}

main().then(
  // Handlers for signals and kept connections must not keep a process alive whose work is done.
  () => process.exit(0),
  error => {
    const remedy = error.remedy === undefined ? '' : `\n${error.remedy.replace(/^/gm, '  ')}\n`;
    process.stderr.write(`\n${error.message}\n${remedy}`);
    process.exit(1);
  }
);
