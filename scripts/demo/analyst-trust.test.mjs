import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { isReadable, readJson, writeAnalystTrust } from './analyst-trust.mjs';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const protocol = await import(join(ROOT, 'protocol/lib/index.js'));

const thumbprint = letter => `${letter.repeat(42)}A`;
const digest = letter => `sha256:${letter.repeat(64)}`;
const ISSUER = protocol.SIMULATOR_ISSUER;
const keys = [{ kty: 'RSA', kid: 'k', alg: 'RS256', use: 'sig', n: 'n'.repeat(342), e: 'AQAB' }];
const simulator = { issuer: ISSUER, kind: 'simulator', jwks: [{ seen: '2026-03-01T12:00:00.000Z', source: 'a test', keys }], roots: [], source: 'a test' };
const google = { ...simulator, issuer: protocol.GOOGLE_ISSUER, kind: 'google' };
const demo = { owners: [{ name: 'hospital', owner: thumbprint('H') }], simulator, image: digest('b') };

let home;
let said;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'cloister-trust-'));
  mkdirSync(join(home, 'agent'));
  said = [];
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const file = name => join(home, 'agent', name);
const put = (name, value) => writeFileSync(file(name), JSON.stringify(value));
const write = (changes = {}) => writeAnalystTrust({ home, protocol, demo: { ...demo, ...changes }, say: text => said.push(text) });

test('where there is nothing it writes both files in today’s form, and has nothing to say', () => {
  assert.equal(isReadable({ home, protocol }), false);
  write();
  assert.equal(isReadable({ home, protocol }), true);
  assert.deepEqual(readJson(file('appraisal.json')).hardware, ['SIMULATED']);
  assert.deepEqual(readJson(file('appraisal.json')).projects, ['local']);
  assert.deepEqual(said, []);
});

test('what the user pinned and demands beside the demo’s stays, and an image built before goes', () => {
  write();
  const trust = readJson(file('trust.json'));
  const own = { thumbprint: thumbprint('O'), name: 'own' };
  put('trust.json', { ...trust, owners: [...trust.owners, own], verifiers: [...trust.verifiers, google], images: [...trust.images, { image: digest('d'), source: 'mine' }] });
  const appraisal = readJson(file('appraisal.json'));
  put('appraisal.json', { ...appraisal, verifiers: [ISSUER, google.issuer], images: [digest('b'), digest('d')], hardware: ['SIMULATED', 'GCP_INTEL_TDX'], zones: ['here'] });
  write({ image: digest('c') });
  const next = readJson(file('trust.json'));
  assert.deepEqual(next.owners.map(({ name }) => name), ['hospital', 'own']);
  assert.deepEqual(next.verifiers.map(({ issuer }) => issuer), [ISSUER, google.issuer]);
  assert.deepEqual(next.images.map(({ image }) => image), [digest('c'), digest('d')]);
  const demands = readJson(file('appraisal.json'));
  assert.deepEqual([demands.images, demands.zones, demands.hardware], [[digest('c'), digest('d')], ['here'], ['SIMULATED', 'GCP_INTEL_TDX']]);
  assert.deepEqual(said, []);
});

test('files of an older form are renewed: what can still be read stays, the rest is named and kept beside', () => {
  const own = { thumbprint: thumbprint('O'), name: 'own' };
  const old = { v: 1, owners: [own], verifiers: [{ ...simulator, roots: [digest('e')] }, { ...google, roots: [digest('e')] }], images: [{ image: digest('d'), source: 'mine' }] };
  put('trust.json', old);
  put('appraisal.json', { verifiers: [ISSUER], images: [digest('d')], hardware: ['SIMULATED'], debug: false, attributes: 'any', projects: ['local'], envOverrides: [] });
  write();
  assert.equal(isReadable({ home, protocol }), true);
  const next = readJson(file('trust.json'));
  assert.deepEqual(next.owners.map(({ name }) => name), ['hospital', 'own']);
  assert.deepEqual(next.verifiers.map(({ issuer }) => issuer), [ISSUER]);
  assert.deepEqual(next.images.map(({ image }) => image), [digest('b'), digest('d')]);
  assert.equal(said.length, 2);
  assert.match(said[0], /trust\.json was in an older form .* without https:\/\/confidentialcomputing\.googleapis\.com, /);
  assert.match(said[1], /appraisal\.json was in an older form/);
  assert.deepEqual(readJson(file('trust.json.old')), old);
});

test('a file that is no JSON is kept too', () => {
  writeFileSync(file('trust.json'), '{"v":1,');
  write();
  assert.equal(readFileSync(file('trust.json.old'), 'utf8'), '{"v":1,');
  assert.equal(existsSync(file('appraisal.json.old')), false);
});
