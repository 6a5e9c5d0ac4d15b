// What the demo needs beyond a built checkout: two owners with keys, brokers and sealed tables, and the analyst's trust.
// Made once per state directory; when the runner image changed, both owners sign their policies anew for it.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const OWNERS = [
  { name: 'hospital', asset: 'measurements' },
  { name: 'registry', asset: 'outcomes' }
];

const urlOf = name => `http://${name}.cloister.localhost`;

/**
 * @param root checkout, built; `home` state directory; `cloister` runs the command with arguments and gives its JSON reply
 * @returns whether anything was made
 */
export async function ensureDemoState({ root, home, cloister, report }) {
  const { measureImage, readSimulatorTrust, toPinnedVerifier } = await import(join(root, 'server/lib/index.js'));
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const stampFile = join(home, 'demo.json');
  const stamp = { v: 1, image: await measureImage(join(root, 'runner/image')), python: join(root, '.venv/bin/python') };
  const before = readJson(stampFile);
  if (before !== undefined && same(before, stamp)) return false;

  const owners = [];
  for (const { name } of OWNERS) {
    report(`keys of the ${name}`);
    const ownerDir = join(home, 'owners', name);
    const known = readJson(join(home, 'embedded.json'))?.brokers.find(broker => broker.name === name)?.owner;
    const owner = known ?? (await cloister(['owner', 'init', '--owner', ownerDir])).owner;
    owners.push({ name, owner, ownerDir });
  }
  writePrivate(join(home, 'embedded.json'), {
    v: 1,
    brokers: owners.map(({ name, owner }) => ({ name, owner })),
    idleMinutes: 30,
    logLevel: 'info',
    python: stamp.python
  });
  const simulator = toPinnedVerifier(await readSimulatorTrust(join(home, 'simulator')), 'the attestation simulator of this machine');
  writeTrust({ home, owners, simulator, image: stamp.image });

  if (before !== undefined) await cloister(['stop']);
  const { analyst } = await cloister(['keys', 'show']);
  if (before === undefined) await sealTables({ root, owners, cloister, report });
  for (const { name, ownerDir } of owners) {
    report(`policy of the ${name}`);
    const text = readFileSync(join(root, 'demo/policies', `${name}.json`), 'utf8');
    const file = join(home, 'owners', `${name}-policy.json`);
    writeFileSync(file, text.replaceAll('@image', stamp.image).replaceAll('@analyst', analyst), { mode: 0o600 });
    await cloister(['policy', 'sign', file, '--owner', ownerDir]);
  }
  writePrivate(stampFile, stamp);
  return true;
}

/** The raw tables exist in the clear only in a private directory, and only until each owner has sealed hers. */
async function sealTables({ root, owners, cloister, report }) {
  const data = mkdtempSync(join(tmpdir(), 'cloister-demo-'));
  chmodSync(data, 0o700);
  try {
    report('tables');
    execFileSync(join(root, '.venv/bin/python'), [join(root, 'demo/make_data.py'), data], { stdio: ['ignore', 'ignore', 'inherit'] });
    for (const { name, asset } of OWNERS) {
      report(`sealing ${name}/${asset}`);
      const { ownerDir } = owners.find(owner => owner.name === name);
      const file = join(data, 'raw', name, `${asset}.csv`);
      const mock = join(root, 'demo/mocks', name, `${asset}.csv`);
      await cloister(['asset', 'seal', file, '--name', asset, '--broker', urlOf(name), '--mock', mock, '--owner', ownerDir]);
    }
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

function writeTrust({ home, owners, simulator, image }) {
  mkdirSync(join(home, 'agent'), { recursive: true, mode: 0o700 });
  const file = join(home, 'agent/trust.json');
  const own = readJson(file) ?? { owners: [], verifiers: [], images: [] };
  const demoOwners = owners.map(({ name, owner }) => ({ thumbprint: owner, name }));
  const source = 'the runner image built in this checkout';
  // What the user pinned beside the demo's stays.
  writePrivate(file, {
    v: 1,
    owners: [...demoOwners, ...own.owners.filter(pinned => !demoOwners.some(({ name }) => name === pinned.name))],
    verifiers: [simulator, ...own.verifiers.filter(({ issuer }) => issuer !== simulator.issuer)],
    images: [{ image, source }, ...own.images.filter(value => value.source !== source && value.image !== image)]
  });
  writePrivate(join(home, 'agent/appraisal.json'), {
    verifiers: [simulator.issuer],
    images: [image],
    hardware: ['SIMULATED'],
    debug: false,
    attributes: 'any',
    projects: ['local'],
    envOverrides: ['CLOISTER_SERVER', 'CLOISTER_JOB', 'CLOISTER_ATTEMPT', 'CLOISTER_GATEWAY', 'CLOISTER_PYTHON']
  });
}

function writePrivate(file, value) {
  writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
