import { describe, expect, test, vi } from 'vitest';
import { fromBase64, fromBase64Url, toBase64, toBase64Url } from '../bytes/base64url.js';
import { parseJson, type Json } from '../bytes/json.js';
import { fromUtf8, toUtf8 } from '../bytes/text.js';
import { isObject } from '../attestation/token.js';
import { AppError } from '../errors.js';
import { mutationsOf, writeJson } from './json-mutations.js';
import { createRandom } from './random.js';
import { createReportSubject, type ReportSubject } from './report-subject.js';
import { compareSurvivors, type Finding } from './survivors.js';
import { editsOfText } from './text-mutations.js';

/** Thousands of verifications, on machines that do other things too. */
vi.setConfig({ testTimeout: 180_000 });

/** Whoever holds a report’s file, with no key at all, changes it. */
const SEED = 20_260_603;
/** Characters of each text in the report that are changed. */
const EDITS = 20;
/** One of so many changes of what a signed object says is tried, with its signature left as it was. */
const SHARE = 12;

const subjects = await Promise.all([createReportSubject({ verifier: 'google', token: 'oidc' }), createReportSubject({ verifier: 'simulator', token: 'pki' })]);
const made = new Map(await Promise.all(subjects.map(async subject => [subject, await subject.make()] as const)));

/** A file that is no JSON, or says something twice, is none that anybody reads. */
async function isAccepted(subject: ReportSubject, text: string): Promise<boolean> {
  try {
    return await subject.isAccepted({ index: made.get(subject)?.index ?? new Uint8Array(), text });
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}

/** Every text in the report, with how to put another in its place. */
function textsOf(report: Json): { readonly path: string; readonly text: string; readonly put: (other: string) => string }[] {
  if (!isObject(report)) throw new Error('not a report');
  return Object.entries(report).flatMap(([name, value]) => {
    if (typeof value === 'string') return [{ path: name, text: value, put: (other: string): string => JSON.stringify({ ...report, [name]: other }) }];
    if (!Array.isArray(value)) return [];
    return value.filter(entry => typeof entry === 'string').map((entry, at) => ({ path: `${name}.${at}`, text: entry, put: (other: string): string => JSON.stringify({ ...report, [name]: value.with(at, other) }) }));
  });
}

/** What a text of the report says, and the text that says something else instead, with its signature left as it was. */
function saidBy(path: string, text: string): { readonly document: Json; readonly withDocument: (other: string) => string } {
  if (path === 'statement') return { document: parseJson(fromBase64(text)), withDocument: other => toBase64(toUtf8(other)) };
  if (path === 'session') return { document: parseJson(text), withDocument: other => other };
  const [header = '', payload = '', signature = ''] = text.split('.');
  return { document: parseJson(fromUtf8(fromBase64Url(payload))), withDocument: other => `${header}.${toBase64Url(toUtf8(other))}.${signature}` };
}

describe.each(subjects)('$kind', subject => {
  const file = made.get(subject)?.text ?? '';
  const report = parseJson(file);
  const texts = textsOf(report);
  const mutations = mutationsOf(report);

  test('the file itself is accepted', async () => {
    expect(await isAccepted(subject, file)).toBe(true);
    for (const { text, put } of texts) expect(await isAccepted(subject, put(text))).toBe(true);
  });

  test(`of ${mutations.length} changes of its members and entries, those that change what it means are refused`, async () => {
    const found: Finding[] = [];
    for (const { path, kind, apply } of mutations) found.push({ of: 'file', path, kind, survived: await isAccepted(subject, writeJson(apply(report), 'as given')) });
    expect(compareSurvivors(found, subject.kind, { partly: false })).toEqual({ unlisted: [], stale: [] });
  });

  const edits = texts.map(({ path, text, put }, at) => ({ path, put, edits: editsOfText(text, EDITS, createRandom(SEED + at)) }));
  test(`${edits.reduce((sum, part) => sum + part.edits.length, 0)} changes of one character are refused`, async () => {
    for (const { path, put, edits: changes } of edits) {
      for (const { kind, place, result } of changes) expect(await isAccepted(subject, put(result)), `seed ${SEED}: ${path}: character ${place} ${kind}`).toBe(false);
    }
  });

  const sayings = texts.flatMap(({ path, text, put }, at) => {
    const random = createRandom(SEED + at);
    const { document, withDocument } = saidBy(path, text);
    return mutationsOf(document)
      .filter(() => random.below(SHARE) === 0)
      .map(({ apply, ...mutation }) => ({ ...mutation, path: `${path}: ${mutation.path}`, file: put(withDocument(writeJson(apply(document), 'as given'))) }));
  });
  test(`${sayings.length} changes of what its parts say, with old signatures, are refused`, async () => {
    for (const { path, kind, file: changed } of sayings) expect(await isAccepted(subject, changed), `seed ${SEED}: ${path}: ${kind}`).toBe(false);
  });
});
