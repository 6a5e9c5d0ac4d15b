import { fromBase64 } from '../../bytes/base64url.js';
import { parseJcs } from '../../bytes/jcs.js';
import type { Json } from '../../bytes/json.js';
import { isObject } from '../../attestation/token.js';
import { toJson, type Draft, type FileDraft } from '../format.js';
import type { VectorRun } from '../run-world.js';
import type { VectorWorld } from '../world.js';
import { reportShared } from './report.js';

/** What is not signed by itself: the statement, the index of outputs, the trust file. */
export function shapesFile(world: VectorWorld, run: VectorRun): FileDraft {
  const statement = parseJcs(fromBase64(run.report.statement));
  const index = parseJcs(run.index);
  const trust = toJson(reportShared(world, run)['trust']);
  return {
    kind: 'shapes',
    about: 'The shapes of what is not signed by itself: the in-toto statement (its token signs it), the index of outputs (committed to), the trust file.',
    specs: ['in-toto Statement v1'],
    cases: [...statementCases(statement), ...indexCases(index), ...trustCases(trust)]
  };
}

const take = (name: string, shape: string, value: Json): Draft => ({ name, operation: 'requireShape', input: { shape, value } });
const refuse = (name: string, shape: string, value: Json): Draft => ({ name, operation: 'requireShape', input: { shape, value }, expect: { error: 'invalid_object' } });

/** A copy with members replaced, at the end of a path of members. */
function change(value: Json, [first, ...rest]: readonly string[], changes: Json): Json {
  if (!isObject(value)) throw new Error('not an object');
  if (first === undefined) return isObject(changes) ? { ...value, ...changes } : changes;
  return { ...value, [first]: change(value[first] ?? null, rest, changes) };
}

function listOf(value: Json, member: string): Json[] {
  const list = isObject(value) ? value[member] : undefined;
  if (!Array.isArray(list)) throw new Error(`${member} is no list`);
  return list;
}

function statementCases(statement: Json): Draft[] {
  const [first] = listOf(statement, 'subject');
  return [
    take('a statement', 'statement', statement),
    refuse('another statement type', 'statement', change(statement, [], { _type: 'https://in-toto.io/Statement/v0.1' })),
    refuse('another predicate type', 'statement', change(statement, [], { predicateType: 'https://slsa.dev/provenance/v1' })),
    refuse('a subject with a path for a name', 'statement', change(statement, [], { subject: [change(first ?? null, [], { name: '../x' })] })),
    refuse('a subject with another digest too', 'statement', change(statement, [], { subject: [change(first ?? null, ['digest'], { md5: '0' })] })),
    refuse('a probe that got through', 'statement', change(statement, ['predicate', 'sandbox'], { probes: [{ probe: 'tee-socket', sandbox: 'kernel', blocked: false }] })),
    refuse('a sandbox of no known form', 'statement', change(statement, ['predicate', 'sandbox'], { form: 'none' })),
    refuse('an outcome of no known kind', 'statement', change(statement, ['predicate'], { outcome: { status: 'partly' } })),
    refuse('success with a code', 'statement', change(statement, ['predicate'], { outcome: { status: 'succeeded', code: 'x' } })),
    refuse('no receipts', 'statement', change(statement, ['predicate'], { receipts: [] }))
  ];
}

function indexCases(index: Json): Draft[] {
  const [first = null, second = null] = listOf(index, 'outputs');
  const outputs = (...list: Json[]): Json => change(index, [], { outputs: list });
  return [
    take('an index of outputs', 'index', index),
    take('an index of nothing', 'index', outputs()),
    refuse('a path that leads out', 'index', outputs(change(first, [], { path: '../../.bashrc' }))),
    refuse('an absolute path', 'index', outputs(change(first, [], { path: '/etc/passwd' }))),
    refuse('two outputs of one path', 'index', outputs(first, change(second, [], { path: 'notebook.ipynb' }))),
    refuse('two paths that differ in case only', 'index', outputs(first, change(second, [], { path: 'Notebook.ipynb' }))),
    refuse('two outputs of one subject', 'index', outputs(first, change(second, [], { subject: 'output/0' }))),
    refuse('a short salt', 'index', change(index, [], { salt: 'AAAA' }))
  ];
}

function trustCases(trust: Json): Draft[] {
  const [owner = null, other = null] = listOf(trust, 'owners');
  const [verifier = null] = listOf(trust, 'verifiers');
  return [
    take('a trust file', 'trust', trust),
    take('that trusts nobody', 'trust', { v: 1, owners: [], verifiers: [], images: [] }),
    refuse('two owners of one name', 'trust', change(trust, [], { owners: [owner, change(other, [], { name: 'hospital' })] })),
    refuse('one owner under two names', 'trust', change(trust, [], { owners: [owner, change(owner, [], { name: 'another' })] })),
    refuse('a verifier of no known kind', 'trust', change(trust, [], { verifiers: [change(verifier, [], { kind: 'any' })] })),
    refuse('an issuer over http', 'trust', change(trust, [], { verifiers: [change(verifier, [], { issuer: 'http://simulator.cloister.invalid' })] })),
    refuse('a symmetric key', 'trust', change(trust, [], { verifiers: [change(verifier, [], { jwks: [{ seen: '2026-01-01T00:00:00.000Z', source: 'test', keys: [{ kty: 'oct', k: 'AAAA' }] }] })] })),
    refuse('reference values without a source', 'trust', change(trust, [], { images: [{ image: `sha256:${'0'.repeat(64)}` }] }))
  ];
}
