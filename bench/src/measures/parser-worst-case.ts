import {
  MANIFEST, Trust, canonicalNotebookBytes, decodeBundle, fromBase64, fromBase64Url, headerLength, jcs, parseJcs, parseJson, parseSession, parseToken, readClaims, readKeySet,
  toBase64, toBase64Url, toUtf8, verifyAttestation, verifyObject, verifyReport
} from '@cloister/protocol';
import { createTestRelyingParty, createTestReport, createTestSigner, createTestVerifier, createTestWorld, type TestRelyingParty } from '@cloister/protocol/testing';

import type { Bench, Figure, Measurement } from '../figure.js';

const RUNS = 5;
const LIMIT_MS = 50;
/** As much as one signed object or one request's body may have. */
const MIB = 1 << 20;
/** As much as a token, and a published key set, may have. */
const TOKEN_CHARS = 32 * 1024;
const KEY_SET_BYTES = 64 * 1024;

/** One input that was made to take long. */
interface Hostile {
  readonly name: string;
  readonly run: () => unknown;
}

/** How long the worst input takes that we know for each parser of what strangers send; the figure is the worst of all. */
export const parserWorstCase: Measurement = {
  ids: ['parser-worst-case'],
  run: async bench => [await measureAll(bench)]
};

async function measureAll(bench: Bench): Promise<Figure> {
  const inputs = [...jsonInputs(), ...base64Inputs(), ...fileInputs(), ...keySetInputs(), ...(await tokenInputs()), ...(await objectInputs()), ...(await reportInputs())];
  bench.say(`parser-worst-case: ${inputs.length} inputs, ${RUNS} times each`);
  const taken: { name: string; time: number }[] = [];
  // The fastest run of each: what else the machine does is no part of the question.
  for (const { name, run } of inputs) taken.push({ name, time: Math.min(...(await timesOf(run))) });
  const slowest = taken.toSorted((a, b) => b.time - a.time);
  const words = slowest.slice(0, 5).map(({ name, time }) => `${name} ${time.toFixed(1)} ms`);
  return { id: 'parser-worst-case', ours: slowest[0]?.time ?? Number.NaN, limit: LIMIT_MS, unit: 'ms', runs: RUNS, note: `worst of ${inputs.length} hostile inputs of up to 1 MiB, tokens of 32 KiB, key sets of 64 KiB: ${words.join('; ')}` };
}

async function timesOf(run: () => unknown): Promise<number[]> {
  const times: number[] = [];
  for (let at = 0; at < RUNS; at += 1) {
    const begun = performance.now();
    try {
      await run();
    } catch {
      // Most are refused, and how fast is the question.
    }
    times.push(performance.now() - begun);
  }
  return times;
}

const fill = (part: string, size: number): string => part.repeat(Math.floor(size / toUtf8(part).length));
const manyKeys = (size: number, key: (at: number) => string): string => `{${Array.from({ length: Math.floor(size / (key(0).length + 5)) }, (_, at) => `"${key(at)}":0`).join(',')}}`;

/** JSON texts that make parsers slow: depth, escapes, long tokens, many small things. */
function jsonTexts(size: number): [string, string][] {
  const deep = Math.min(100_000, size / 2);
  return [
    ['open lists', '['.repeat(deep)],
    ['nested lists', '['.repeat(deep) + ']'.repeat(deep)],
    ['nested objects', fill('{"a":', size)],
    ['quotes', '"'.repeat(size)],
    ['backslashes', `"${'\\'.repeat(size - 2)}`],
    ['escaped quotes', `"${fill('\\"', size - 2)}"`],
    ['escaped backslashes', `"${fill('\\\\', size - 2)}"`],
    ['escaped letters', `"${fill('\\u0041', size - 2)}"`],
    ['lone surrogates', `"${fill('\\ud800', size - 2)}"`],
    ['digits', '1'.repeat(size)],
    ['digits of an exponent', `1e${'9'.repeat(size - 2)}`],
    ['digits behind a point', `0.${'1'.repeat(size - 2)}`],
    ['minus signs', '-'.repeat(size)],
    ['combining marks', `"${fill('\u0301', size - 2)}"`],
    ['four-byte characters', `"${fill('\u{1f600}', size - 2)}"`],
    ['blanks', ' '.repeat(size)],
    ['line ends', `[${'\n'.repeat(size - 2)}]`],
    ['commas', ','.repeat(size)],
    ['colons', ':'.repeat(size)],
    ['small numbers', `[${fill('0,', size - 3)}0]`],
    ['empty texts', `[${fill('"",', size - 4)}""]`],
    ['empty objects', `[${fill('{},', size - 4)}{}]`],
    ['many keys', manyKeys(size, at => `k${String(at).padStart(6, '0')}`)],
    ['many keys in reverse', manyKeys(size, at => `k${String(999_999 - at)}`)],
    ['many keys that are numbers', manyKeys(size, at => String(at + 1_000_000))],
    ['long keys that differ at their end', manyKeys(size, at => `${'k'.repeat(1000)}${String(at).padStart(6, '0')}`)]
  ];
}

const over = (parser: string, inputs: readonly [string, string][], run: (text: string) => unknown): Hostile[] => inputs.map(([name, text]) => ({ name: `${parser}, ${name}`, run: () => run(text) }));
const bytesOver = (parser: string, inputs: readonly [string, string][], run: (bytes: Uint8Array) => unknown): Hostile[] =>
  inputs.map(([name, text]) => {
    const bytes = toUtf8(text);
    return { name: `${parser}, ${name}`, run: () => run(bytes) };
  });

function jsonInputs(): Hostile[] {
  const texts = jsonTexts(MIB);
  return [...over('parseJson', texts, parseJson), ...bytesOver('parseJcs', texts, parseJcs), ...over('parseSession', texts, parseSession), ...over('trust file', texts, text => Trust.safeParse(parseJson(text)))];
}

function base64Inputs(): Hostile[] {
  const texts: [string, string][] = [
    ['good', 'A'.repeat(MIB)],
    ['of the other alphabet', fill('-_+/', MIB)],
    ['dashes', fill('-_', MIB)],
    ['padding', '='.repeat(MIB)],
    ['a blank at its end', `${'A'.repeat(MIB - 4)}AAA `],
    ['line ends', fill('AAAA\n', MIB)]
  ];
  return [...over('fromBase64Url', texts, fromBase64Url), ...over('fromBase64', texts, fromBase64)];
}

function fileInputs(): Hostile[] {
  const headers: [string, string][] = [
    ['no end', `age-encryption.org/v1\n${fill('-> X25519 A\n', MIB)}`],
    ['dashes', `age-encryption.org/v1\n${'-'.repeat(MIB)}`],
    ['ends that are none', `age-encryption.org/v1\n${fill('\n--- A\n', MIB)}`]
  ];
  const texts = jsonTexts(MIB);
  return [...bytesOver('age header', headers, headerLength), ...bytesOver('bundle', texts, decodeBundle), ...bytesOver('notebook', texts, canonicalNotebookBytes)];
}

function keySetInputs(): Hostile[] {
  const key = (n: string): string => JSON.stringify({ kty: 'RSA', kid: 'a', alg: 'RS256', use: 'sig', n, e: 'AQAB' });
  const sets: [string, string][] = [
    ...jsonTexts(KEY_SET_BYTES),
    ['many keys of nothing', `{"keys":[${fill('{},', KEY_SET_BYTES - 20)}{}]}`],
    ['as many keys as there may be', `{"keys":[${Array.from({ length: 16 }, (_, at) => key(`${'A'.repeat(at)}${'-'.repeat(1300 - at)}`)).join(',')}]}`],
    ['a modulus that fills it', `{"keys":[${key('_'.repeat(KEY_SET_BYTES - 200))}]}`]
  ];
  return over('readKeySet', sets, text => readKeySet(text, ['RS256', 'PS384']));
}

/** DER whose values lie in one another, each with a length of its own. */
function nestedDer(depth: number): Uint8Array {
  let inner: readonly number[] = [];
  for (let at = 0; at < depth; at += 1) inner = [0x30, 0x82, inner.length >> 8, inner.length & 0xff, ...inner];
  return Uint8Array.from(inner);
}

async function tokenInputs(): Promise<Hostile[]> {
  const party = await createTestRelyingParty({ kind: 'google' });
  const good = await party.mint();
  const [header = '', payload = '', signature = ''] = good.split('.');
  const part = Math.floor(((TOKEN_CHARS - signature.length - header.length - 10) * 3) / 4);
  const shapes: [string, string][] = [
    ['dots', '.'.repeat(TOKEN_CHARS)],
    ['one part', 'A'.repeat(TOKEN_CHARS)],
    ['a signature that fills it', `${header}.${payload}.${'A'.repeat(TOKEN_CHARS - header.length - payload.length - 2)}`],
    ...jsonTexts(Math.floor(part / 2)).map(([name, text]): [string, string] => [`claims of ${name}`, `${header}.${toBase64Url(toUtf8(text))}.${signature}`])
  ];
  const asked = over('verifyAttestation', [...shapes, ...(await claimShapes(party, Math.floor(part / 3))), ...(await chainShapes(party, part))], text => ask(party, text));
  return [...over('parseToken', shapes, text => readClaims(parseToken(text).claims)), ...asked];
}

const ask = ({ verifier, expect }: TestRelyingParty, token: string): unknown => verifyAttestation(token, { trust: { verifiers: [verifier.pinned] }, expect, now: new Date('2026-06-01T12:00:00.000Z') });

async function claimShapes(party: TestRelyingParty, size: number): Promise<[string, string][]> {
  const names = Object.fromEntries(Array.from({ length: Math.floor(size / 12) }, (_, at) => [`V${at}`, 'x']));
  return [
    ['signed, many nonces', await party.mint({ claims: { eat_nonce: Array.from({ length: size / 3 }, () => '') } })],
    ['signed, many overrides', await party.mint({ envOverride: names })],
    ['signed, many accounts', await party.mint({ claims: { google_service_accounts: Array.from({ length: size / 3 }, () => '') } })],
    ['signed, a long audience', await party.mint({ audience: 'a'.repeat(size) })]
  ];
}

async function chainShapes(party: TestRelyingParty, size: number): Promise<[string, string][]> {
  const [leaf, middle, root] = party.verifier.chain.x5c;
  const room = Math.floor(size / 2) - 2 * root.length;
  const chains: [string, string[]][] = [
    ['many certificates', Array.from({ length: room / 4 }, () => '')],
    ['a long certificate', ['A'.repeat(room - (room % 4)), middle, root]],
    ['values in values', [toBase64(nestedDer(Math.floor((room * 3) / 16))), middle, root]],
    ['values in values without length', [toBase64(Uint8Array.from({ length: Math.floor((room * 3) / 8) * 2 }, (_, at) => (at % 2 === 0 ? 0x30 : 0x80))), middle, root]],
    ['PEM of line ends', [`-----BEGIN CERTIFICATE-----\n${'\n'.repeat(room / 2)}`, middle, root]],
    ['PEM that never ends', [`-----BEGIN CERTIFICATE-----\n${'A'.repeat(room)}-----END`, middle, root]],
    ['a good chain', [leaf, middle, root]]
  ];
  return Promise.all(chains.map(async ([name, x5c]): Promise<[string, string]> => [`x5c of ${name}`, await party.mint({ kind: 'pki', header: { x5c } })]));
}

/** Signed, by the stranger's own key: so all of it is read. */
async function objectInputs(): Promise<Hostile[]> {
  const signer = await createTestSigner();
  const header = jcs({ alg: 'EdDSA', jwk: signer.jwk, typ: 'cloister.manifest.v1+jws' });
  const room = Math.floor(((MIB - 400) * 3) / 4);
  const signed = async (text: string): Promise<string> => {
    const input = `${toBase64Url(toUtf8(header))}.${toBase64Url(toUtf8(text))}`;
    return `${input}.${toBase64Url(new Uint8Array(await crypto.subtle.sign('Ed25519', signer.key, toUtf8(input))))}`;
  };
  const payloads = await Promise.all(jsonTexts(room).map(async ([name, text]): Promise<[string, string]> => [`payload of ${name}`, await signed(text)]));
  const objects: [string, string][] = [...payloads, ['a header that fills it', `${'A'.repeat(MIB - 100)}.A.A`], ['dots', '.'.repeat(MIB)]];
  return over('verifyObject', objects, text => verifyObject(MANIFEST, text, payload => payload.analyst));
}

async function reportInputs(): Promise<Hostile[]> {
  const [verifier, world] = [await createTestVerifier(), await createTestWorld()];
  const { report } = await createTestReport(world, verifier);
  const many = (list: readonly string[], count: number): string[] => Array.from({ length: count }, () => list[0] ?? '');
  const policies = world.owners.map(owner => owner.policy.jws);
  const full = { ...report, descriptors: many(report.descriptors, 64), receipts: many(report.receipts, 80), witnesses: many(report.witnesses, 80), policies: many(policies, 64) };
  const reports: [string, object][] = [
    ...jsonTexts(MIB).map(([name, text]): [string, object] => [`a statement of ${name}`, { ...report, statement: toBase64(toUtf8(text)) }]),
    ['a statement that is no base64', { ...report, statement: '='.repeat(MIB) }],
    ['as many signed objects as there may be', full],
    ['a million objects', { ...report, receipts: Array.from({ length: 1_000_000 }, () => '') }],
    ['a hundred thousand members', Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`m${at}`, 0]))]
  ];
  const trust = { v: 1 as const, owners: [], verifiers: [verifier.pinned], images: [{ image: world.image, source: 'a bench' }] };
  return reports.map(([name, value]) => ({ name: `verifyReport, ${name}`, run: () => verifyReport(value, { trust, now: new Date() }) }));
}
