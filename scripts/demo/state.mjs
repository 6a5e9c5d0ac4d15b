// What the demo needs beyond a built checkout: two owners with keys, brokers and sealed tables, and the analyst's trust.
// Made once per state directory; when the runner image changed, both owners sign their policies anew for it, and when the form
// of the analyst's trust changed, the demo's part of it is written anew.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { isReadable, readJson, writeAnalystTrust, writePrivate } from './analyst-trust.mjs';

export const OWNERS = [
  { name: 'hospital', asset: 'measurements' },
  { name: 'registry', asset: 'outcomes' }
];

const urlOf = name => `http://${name}.cloister.localhost`;

/**
 * @param root checkout, built; `home` state directory; `cloister` runs the command with arguments and gives its JSON reply
 * @param say for what a person must read; `report` for what is being done
 * @returns whether anything was made
 */
export async function ensureDemoState({ root, home, cloister, report, say = toStderr }) {
  const { measureImage, readSimulatorTrust, toPinnedVerifier } = await import(join(root, 'server/lib/index.js'));
  const protocol = await import(join(root, 'protocol/lib/index.js'));
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const stampFile = join(home, 'demo.json');
  const stamp = { v: 1, image: await measureImage(join(root, 'runner/image')), python: join(root, '.venv/bin/python') };
  const before = readJson(stampFile);
  const upToDate = before !== undefined && same(before, stamp);
  if (upToDate && isReadable({ home, protocol })) return false;

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
  writeAnalystTrust({ home, protocol, demo: { owners, simulator, image: stamp.image }, say });
  if (upToDate) return true;

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

const toStderr = text => process.stderr.write(`${text}\n`);
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
