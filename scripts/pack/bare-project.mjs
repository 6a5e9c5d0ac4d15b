// Projects that have nothing but the packed library: what somebody gets who installs it from a registry.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const PACKAGE = join(ROOT, 'protocol');
const NAME = '@cloister/protocol';

const readJson = file => JSON.parse(readFileSync(file, 'utf8'));

/** Packs folders into `into`; npm runs `prepack` of ours alone. Gives for each the tarball and the paths in it. */
function pack(folders, into, options = []) {
  const output = execFileSync('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', into, ...options, ...folders], {
    cwd: PACKAGE,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    stdio: ['ignore', 'pipe', 'inherit']
  });
  // What `prepack` prints comes before the JSON.
  const listed = JSON.parse(output.slice(output.search(/^\[$/m)));
  return listed.map(({ filename, files }) => ({ tarball: join(into, filename), files: files.map(({ path }) => path) }));
}

/** Where `name` is found from a folder, by Node's rule. */
function locate(name, from) {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name);
    if (existsSync(join(found, 'package.json'))) return found;
  }
  throw new Error(`${name} is not installed: run npm run setup`);
}

/** Folders of everything that these packages declare, and what that declares. */
function closure(names, from, found = new Set()) {
  for (const name of names) {
    const folder = locate(name, from);
    if (found.has(folder)) continue;
    found.add(folder);
    closure(Object.keys(readJson(join(folder, 'package.json')).dependencies ?? {}), folder, found);
  }
  return found;
}

/** What a lock file says about a package. */
function locked({ version, dependencies, peerDependencies, peerDependenciesMeta }, tarball) {
  return { version, resolved: `file:${tarball}`, dependencies, peerDependencies, peerDependenciesMeta };
}

/**
 * Packs the library, and from this checkout's node_modules all that it declares: npm's cache may have been emptied, and a test
 * asks no registry. Only what is declared comes along, so a dependency that was forgotten is missing there too.
 * @returns `files` of the library's tarball, and `install(folder, peers)`, which makes a project by `npm ci`
 */
export function packLibrary(tarballs) {
  mkdirSync(tarballs, { recursive: true });
  const [library] = pack([PACKAGE], tarballs);
  const manifest = readJson(join(PACKAGE, 'package.json'));
  const all = [...closure([...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)], PACKAGE)];
  const packed = pack(all, tarballs, ['--ignore-scripts']);
  const tarballOf = new Map(all.map((folder, index) => [folder, packed[index].tarball]));
  return { files: library.files, install: (folder, peers = []) => install(folder, { library, manifest, peers, tarballOf }) };
}

function install(folder, { library, manifest, peers, tarballOf }) {
  const own = { name: 'bare', version: '1.0.0', type: 'module', dependencies: { [NAME]: `file:${library.tarball}` } };
  for (const peer of peers) own.dependencies[peer] = `file:${tarballOf.get(locate(peer, PACKAGE))}`;
  const packages = { '': own, [`node_modules/${NAME}`]: locked(manifest, library.tarball) };
  for (const from of closure([...Object.keys(manifest.dependencies), ...peers], PACKAGE)) {
    const place = relative(ROOT, from).replace(/^protocol\/node_modules/, `node_modules/${NAME}/node_modules`);
    packages[place] = locked(readJson(join(from, 'package.json')), tarballOf.get(from));
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify(own));
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ name: own.name, version: own.version, lockfileVersion: 3, requires: true, packages }));
  execFileSync('npm', ['ci', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  return folder;
}
