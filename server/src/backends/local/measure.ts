import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, compareUtf8, digestFromHex, digestOf, digestOfJson, fromUtf8, parseJson, type Digest } from '@cloister/protocol';
import * as z from 'zod/mini';

/** What a container image says in labels and configuration; part of what is measured. */
const ImageLabels = z.strictObject({
  v: z.literal(1),
  entrypoint: z.array(z.string().check(z.minLength(1))).check(z.minLength(1)),
  allowEnvOverride: z.array(z.string()),
  cmdOverride: z.literal(false),
  logRedirect: z.literal('never')
});
export type ImageLabels = z.infer<typeof ImageLabels>;

export interface Image {
  readonly labels: ImageLabels;
  /** Digest of the labels' file alone. */
  readonly id: Digest;
}

interface MeasuredFile {
  readonly path: string;
  readonly size: number;
  readonly digest: Digest;
}

/**
 * The image's digest: of the canonical list of all its files, sorted by the bytes of their paths, read anew at every
 * call. A link could point at other bytes by the time they run, so links are refused, and whatever is no file.
 * @throws AppError launch_failed
 */
export async function measureImage(imageDir: string): Promise<Digest> {
  return refusing('the image cannot be measured', async () => {
    if (!(await lstat(imageDir)).isDirectory()) throw new AppError('launch_failed', 'the image is not a directory');
    const paths = await listFiles(imageDir, '');
    const files: MeasuredFile[] = [];
    for (const path of paths.sort(compareUtf8)) files.push(await measureFile(imageDir, path));
    return digestOfJson(files);
  });
}

/** @throws AppError launch_failed */
export async function readImage(imageDir: string): Promise<Image> {
  return refusing('the image has no valid image.json', async () => {
    const file = await openRegular(join(imageDir, 'image.json'));
    try {
      const bytes = await file.readFile();
      return { labels: z.parse(ImageLabels, parseJson(bytes)), id: digestOf(bytes) };
    } finally {
      await file.close();
    }
  });
}

async function listFiles(imageDir: string, folder: string): Promise<string[]> {
  const paths: string[] = [];
  // Names as bytes: one that is not UTF-8 would otherwise be measured under another name.
  for (const entry of await readdir(join(imageDir, folder), { withFileTypes: true, encoding: 'buffer' })) {
    const name = fromUtf8(entry.name);
    const path = folder === '' ? name : `${folder}/${name}`;
    if (entry.isDirectory()) paths.push(...(await listFiles(imageDir, path)));
    else if (entry.isFile()) paths.push(path);
    else throw new AppError('launch_failed', 'the image holds a link or something else that is no file');
  }
  return paths;
}

async function measureFile(imageDir: string, path: string): Promise<MeasuredFile> {
  const file = await openRegular(join(imageDir, path));
  try {
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 1 << 20 })) {
      if (!(chunk instanceof Uint8Array)) continue;
      hash.update(chunk);
      size += chunk.length;
    }
    return { path, size, digest: digestFromHex(hash.digest('hex')) };
  } finally {
    await file.close();
  }
}

async function openRegular(path: string) {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new AppError('launch_failed', 'the image holds something that is no file');
}

async function refusing<T>(detail: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof AppError && cause.code === 'launch_failed' ? cause : new AppError('launch_failed', detail, { cause });
  }
}
