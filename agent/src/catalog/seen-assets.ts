import * as z from 'zod/mini';
import { AssetName, Digest, Thumbprint, jcs } from '@cloister/protocol';
import { readConfigFile, readPrivateFileIfThere, replacePrivateFile } from '@cloister/kit';

const SeenAsset = z.strictObject({ owner: Thumbprint, name: AssetName, version: z.int(), asset: Digest });
/** The highest version of an asset that any catalog ever showed here, signed by its owner. */
export type SeenAsset = z.infer<typeof SeenAsset>;

const SeenAssets = z.strictObject({ v: z.literal(1), assets: z.array(SeenAsset) });

/** @throws AppError key_unsafe | config_invalid */
export async function readSeenAssets(path: string): Promise<SeenAsset[]> {
  if ((await readPrivateFileIfThere(path)) === undefined) return [];
  return SeenAssets.parse(await readConfigFile(path, SeenAssets)).assets;
}

export async function writeSeenAssets(path: string, assets: readonly SeenAsset[]): Promise<void> {
  await replacePrivateFile(path, `${jcs({ v: 1, assets: [...assets] })}\n`);
}
