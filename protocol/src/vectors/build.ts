import { attestationFile } from './cases/attestation.js';
import { becauseFile } from './cases/because.js';
import { bundleFile, codeFile, notebookFile } from './cases/bundle.js';
import { base64urlFile, hashesFile, jcsFile, jsonFile } from './cases/bytes.js';
import { decisionsFile } from './cases/decisions.js';
import { ledgerFile } from './cases/ledger.js';
import { signedFiles } from './cases/objects.js';
import { releaseFile, sessionFile, wrappedCodeFile } from './cases/release.js';
import { reportFile } from './cases/report.js';
import { ageFile, assetFile } from './cases/sealing.js';
import { shapesFile } from './cases/shapes.js';
import { keysFile } from './cases/signed.js';
import type { FixtureSource } from './fixtures.js';
import { VectorFile, resolveShared, toJson, type Draft, type FileDraft, type VectorCase } from './format.js';
import { runOperation } from './operations/index.js';
import { createRun } from './run-world.js';
import { createVectorWorld } from './world.js';

/** Makes every vector file from the fixtures: equal fixtures, equal bytes. */
export async function buildVectorFiles(source: FixtureSource): Promise<VectorFile[]> {
  const world = await createVectorWorld(source);
  const run = await createRun(world);
  const drafts = [
    jcsFile(), jsonFile(), base64urlFile(), hashesFile(), keysFile(),
    ...(await signedFiles(world, run)),
    await ageFile(world), assetFile(world), bundleFile(world), codeFile(world), notebookFile(world),
    sessionFile(world, run), await wrappedCodeFile(world), await releaseFile(world, run), await ledgerFile(world),
    decisionsFile(world), shapesFile(world, run), await attestationFile(world, run), await reportFile(world, run), await becauseFile(world, run)
  ];
  const files: VectorFile[] = [];
  for (const draft of drafts) files.push(await finish(draft));
  return files;
}

async function finish({ kind, about, specs = [], shared, cases, elsewhere }: FileDraft): Promise<VectorFile> {
  const values = Object.fromEntries(Object.entries(shared ?? {}).map(([name, value]) => [name, toJson(value)]));
  const finished: VectorCase[] = [];
  for (const draft of cases) finished.push(await finishCase(draft, values));
  return VectorFile.parse({
    format: 'cloister.vectors.v1', kind, about, specs: [...specs], ...(shared === undefined ? {} : { shared: values }), cases: finished, ...(elsewhere === undefined ? {} : { elsewhere })
  });
}

/** Gives a case that shows what is accepted the value that comes of it. What must be refused says so beforehand. */
async function finishCase({ name, because, operation, input, expect }: Draft, shared: Parameters<typeof resolveShared>[1]): Promise<VectorCase> {
  const given = toJson(input);
  const result = expect ?? (await runOperation(operation, resolveShared(given, shared)));
  if (expect === undefined && 'error' in result) throw new Error(`${operation}, "${name}": refused with ${result.error}`);
  return { name, ...(because === undefined ? {} : { because }), operation, ...toMembers({ input: given }), expect: 'ok' in result ? { ok: toJson(result.ok) } : result };
}

function toMembers({ input }: { input: ReturnType<typeof toJson> }): Pick<VectorCase, 'input'> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) throw new Error('an input is an object');
  return { input };
}

/** How a vector file is written: two blanks of indentation and a line feed at the end. */
export const vectorText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
