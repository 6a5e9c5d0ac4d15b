/**
 * What comes back from the driver’s sandbox. A cell may have taken over its kernel, and with it perhaps the driver, so
 * every byte is hostile: sizes and depths are capped and only outputs of nbformat’s shapes are kept.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

import { z } from 'zod';

/** The driver keeps well below both; only one that was taken over goes beyond. */
const MAX_RESULT_BYTES = 96 * 1024 * 1024;
const MAX_CONTAINERS = 4_000_000;
const MAX_LINE_CHARACTERS = 200;
const MAX_DEPTH = 64;
const MAX_TRACEBACK_CHARACTERS = 64 * 1024;

const DriverLine = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('connecting') }),
  z.strictObject({ state: z.literal('ready') }),
  z.strictObject({ state: z.literal('running'), done: z.int().nonnegative() }),
  z.strictObject({ state: z.literal('ended') })
]);

/** One line of progress: counts only. */
export type DriverLine = z.infer<typeof DriverLine>;

/** Undefined where the line is not one that the driver writes. */
export function parseDriverLine(line: string): DriverLine | undefined {
  if (line.length > MAX_LINE_CHARACTERS) return undefined;
  const parsed = DriverLine.safeParse(parseJson(line));
  return parsed.success ? parsed.data : undefined;
}

const Text = z.union([z.string(), z.array(z.string())]);
const MimeType = z.string().check(z.regex(/^[A-Za-z0-9!#$&^_.+-]{1,100}\/[A-Za-z0-9!#$&^_.+;=-]{1,150}$/));
const JSON_TYPE = /^application\/(?:.*\+)?json$/;
const MimeBundle = z.record(MimeType, z.unknown()).check(
  // nbformat: text, but for JSON types, which hold any JSON.
  z.refine(bundle => Object.entries(bundle).every(([type, value]) => JSON_TYPE.test(type) || Text.safeParse(value).success))
);
const Metadata = z.record(z.string(), z.unknown());
const Count = z.union([z.int().nonnegative(), z.null()]);

const CellOutput = z.discriminatedUnion('output_type', [
  z.strictObject({ output_type: z.literal('stream'), name: z.enum(['stdout', 'stderr']), text: Text }),
  z.strictObject({ output_type: z.literal('display_data'), data: MimeBundle, metadata: Metadata }),
  z.strictObject({ output_type: z.literal('execute_result'), data: MimeBundle, metadata: Metadata, execution_count: Count }),
  z.strictObject({ output_type: z.literal('error'), ename: z.string(), evalue: z.string(), traceback: z.array(z.string()) })
]);

/** An output in one of the four shapes of nbformat 4. */
export type CellOutput = z.infer<typeof CellOutput>;

const Failure = z.strictObject({
  kind: z.enum(['raised', 'exited', 'input', 'install', 'died', 'broken']),
  traceback: z.optional(z.string())
});
const RawResult = z.strictObject({
  v: z.literal(1),
  done: z.int().nonnegative(),
  cells: z.array(z.strictObject({ index: z.int().nonnegative(), executionCount: Count, outputs: z.array(z.unknown()) })),
  failure: z.optional(Failure)
});

/** Outputs of one code cell; `index` counts code cells only. */
export interface CellResult {
  readonly index: number;
  readonly executionCount: number | null;
  readonly outputs: readonly CellOutput[];
}

export interface DriverResult {
  readonly done: number;
  readonly cells: readonly CellResult[];
  readonly failure?: { readonly kind: z.infer<typeof Failure>['kind']; readonly traceback?: string };
}

/** The result file of a run with `codeCells` code cells; undefined where there is none, it is malformed or too large. */
export async function readDriverResult(path: string, codeCells: number): Promise<DriverResult | undefined> {
  const bytes = await readCapped(path);
  if (bytes === undefined || countContainers(bytes) > MAX_CONTAINERS) return undefined;
  return parseDriverResult(bytes.toString('utf8'), codeCells);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACKET = 0x5b;
const BRACE = 0x7b;

/** Lists and objects in a JSON text. As text each takes two bytes, parsed fifty: enough of them would end the runner. */
export function countContainers(json: Uint8Array): number {
  let count = 0;
  let inText = false;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (inText && byte === BACKSLASH) at += 1;
    else if (byte === QUOTE) inText = !inText;
    else if (!inText && (byte === BRACKET || byte === BRACE)) count += 1;
  }
  return count;
}

export function parseDriverResult(text: string, codeCells: number): DriverResult | undefined {
  const parsed = RawResult.safeParse(parseJson(text));
  if (!parsed.success || parsed.data.cells.some(({ index }) => index >= codeCells)) return undefined;
  const { done, cells, failure } = parsed.data;
  const results = cells.map(({ index, executionCount, outputs }) => ({ index, executionCount, outputs: keepOutputs(outputs) }));
  if (failure === undefined) return { done, cells: results };
  const { kind, traceback } = failure;
  return { done, cells: results, failure: { kind, ...(traceback === undefined ? {} : { traceback: plainText(traceback) }) } };
}

function keepOutputs(outputs: readonly unknown[]): CellOutput[] {
  const kept: CellOutput[] = [];
  for (const output of outputs) {
    const parsed = CellOutput.safeParse(output);
    if (parsed.success && isShallow(output, MAX_DEPTH)) kept.push(parsed.data);
  }
  const lost = outputs.length - kept.length;
  // Said in the notebook itself, so that nobody takes a cell with outputs left out for a silent one.
  if (lost > 0) kept.push({ output_type: 'stream', name: 'stderr', text: `[Cloister: ${lost} outputs of no known type were left out]\n` });
  return kept;
}

function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every(item => isShallow(item, depth - 1));
}

// CSI and OSC sequences, and two-byte escapes; then whatever control characters remain but tab and newline.
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Text without terminal sequences, which could rewrite what a reader sees in a terminal. */
export function plainText(text: string): string {
  return text.slice(-MAX_TRACEBACK_CHARACTERS).replace(ESCAPES, '').replace(CONTROLS, '');
}

async function readCapped(path: string): Promise<Buffer | undefined> {
  // The folder is the driver’s: a link planted there must not lead the runner to a file of its own, nor a pipe hold it up.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const status = await file.stat();
    return status.isFile() && status.size <= MAX_RESULT_BYTES ? await file.readFile() : undefined;
  } finally {
    await file.close();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
