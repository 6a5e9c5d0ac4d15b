import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { ATTESTATION_CHECK_IDS } from '../attestation/verify.js';
import { parseJson } from '../bytes/json.js';
import { BROKER_ROUTES } from '../http/broker-routes.js';
import { SERVER_ROUTES } from '../http/server-routes.js';
import { REPORT_CHECKS } from '../report/checks/index.js';
import { buildVectorFiles, vectorText } from './build.js';
import { Fixtures, NO_FIXTURES, openFixtures } from './fixtures.js';
import { VectorFile, resolveShared } from './format.js';
import { OPERATIONS, runOperation } from './operations/index.js';
import { SIGNED_KINDS } from './operations/objects.js';

const FOLDER = fileURLToPath(new URL('../../vectors/', import.meta.url));
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FIXTURES = join(FOLDER, 'fixtures.json');

const committed = readdirSync(FOLDER)
  .filter(name => name.endsWith('.json') && name !== 'fixtures.json')
  .map(name => ({ name, file: VectorFile.parse(parseJson(readFileSync(join(FOLDER, name)))) }));
const cases = committed.flatMap(({ name, file }) => file.cases.map(vector => ({ title: `${name}: ${vector.name}`, vector, shared: file.shared ?? {} })));

describe('every committed vector holds', () => {
  test.each(cases)('$title', async ({ vector, shared }) => {
    expect(await runOperation(vector.operation, resolveShared(vector.input, shared))).toEqual(vector.expect);
  });
});

describe('the files are what the code makes', () => {
  const source = openFixtures(existsSync(FIXTURES) ? Fixtures.parse(parseJson(readFileSync(FIXTURES))) : NO_FIXTURES);
  const made = new Map<string, string>();
  beforeAll(async () => {
    for (const file of await buildVectorFiles(source)) made.set(`${file.kind}.json`, vectorText(file));
    // As with a snapshot: what cannot be made twice is kept, and the run that had to make it fails.
    if (source.recorded().length > 0) writeFileSync(FIXTURES, vectorText(source.fixtures()));
  });

  test('from the committed keys and sealed files alone', () => {
    expect(source.recorded()).toEqual([]);
  });

  test('byte for byte: every signature, digest and token again', async () => {
    for (const [name, text] of made) await expect(text).toMatchFileSnapshot(join(FOLDER, name));
  });

  test('and there are no others', () => {
    expect(committed.map(({ name }) => name).sort()).toEqual([...made.keys()].sort());
  });
});

describe('nothing is left out', () => {
  const resultsOf = (operation: string): string[] => cases.filter(({ vector }) => vector.operation === operation).map(({ vector }) => JSON.stringify(vector.expect));

  test('every operation is used, and taught by its note in the README', () => {
    const readme = readFileSync(join(FOLDER, 'README.md'), 'utf8');
    for (const operation of Object.keys(OPERATIONS)) {
      expect(resultsOf(operation).length, operation).toBeGreaterThan(0);
      expect(readme, operation).toContain(`\`${operation}\``);
    }
  });

  test('every signed kind is signed, verified and refused', () => {
    for (const kind of Object.keys(SIGNED_KINDS)) {
      const ofKind = cases.filter(({ vector }) => vector.input['kind'] === kind);
      expect(ofKind.some(({ vector }) => vector.operation === 'sign' && 'ok' in vector.expect), kind).toBe(true);
      expect(ofKind.some(({ vector }) => vector.operation === 'verify' && 'ok' in vector.expect), kind).toBe(true);
      for (const code of ['signature_invalid', 'wrong_signer', 'invalid_object', 'not_canonical']) {
        expect(ofKind.some(({ vector }) => 'error' in vector.expect && vector.expect.error === code), `${kind} ${code}`).toBe(true);
      }
    }
  });

  test('every check of a token and of a report fails in some vector', () => {
    const failing = (operation: string, check: string): boolean =>
      resultsOf(operation).some(result => [...result.matchAll(/"(?:failed|unknown)":\[([^\]]*)\]/g)].some(([, ids]) => ids?.includes(`"${check}"`)));
    for (const check of ATTESTATION_CHECK_IDS) expect(failing('verifyAttestation', check), check).toBe(true);
    for (const check of ['report_form', 'policy', ...REPORT_CHECKS.map(({ id }) => id), 'own_job', 'sealed_outputs', 'opened_outputs']) expect(failing('verifyReport', check), check).toBe(true);
  });

  test('docs/protocol.md names every signed kind, check, verdict and vector file, and its tests are there', () => {
    const text = readFileSync(join(ROOT, 'docs/protocol.md'), 'utf8');
    const checks = [...ATTESTATION_CHECK_IDS, 'report_form', 'policy', ...REPORT_CHECKS.map(({ id }) => id), 'own_job', 'sealed_outputs', 'opened_outputs'];
    for (const name of [...checks, 'verified', 'simulated', 'failed', 'inconclusive']) expect(text, name).toContain(`\n| \`${name}\` |`);
    for (const kind of Object.keys(SIGNED_KINDS)) expect(text, kind).toMatch(new RegExp(`\\n### (?:[a-z-]+ and )?${kind}\\b`));
    for (const [, path = ''] of text.matchAll(/`([a-z]+\/src\/[a-z/-]+\.test\.ts)`/g)) expect(existsSync(join(ROOT, path)), path).toBe(true);
    for (const { path } of [...Object.values(BROKER_ROUTES), ...Object.values(SERVER_ROUTES)]) expect(text, path).toContain(path.replace(/^\/v1\/jobs\/\{job\}(\/attempts\/\{attempt\})?(?=\/)/, ''));
  });

  test('every verdict but "verified" is shown: a report by test keys is never more than simulated', () => {
    const results = resultsOf('verifyReport').join();
    for (const verdict of ['simulated', 'failed', 'inconclusive']) expect(results).toContain(`"verdict":"${verdict}"`);
  });

  test('every reason has a case or the tests that show it', () => {
    const because = committed.find(({ name }) => name === 'because.json')?.file;
    expect(because?.cases.every(vector => vector.because !== undefined)).toBe(true);
    expect(because?.elsewhere?.length).toBeGreaterThan(0);
    for (const { file, mentions } of because?.elsewhere?.flatMap(item => item.shownBy) ?? []) {
      expect(existsSync(join(ROOT, file)), file).toBe(true);
      expect(readFileSync(join(ROOT, file), 'utf8'), file).toContain(mentions);
    }
  });
});
