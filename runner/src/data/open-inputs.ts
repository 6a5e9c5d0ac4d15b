import { join } from 'node:path';
import { AppError, SERVER_ROUTES, fromBase64Url, openRoute, type ClientDeps, type Digest } from '@cloister/protocol';
import { openToFile } from '@cloister/sealing';
import type { Order, OrderedInput } from '../order.js';
import { withRetries, type RetryOptions } from '../retry.js';
import type { NotebookInput } from '../sandbox.js';

/**
 * Fetches every sealed input and opens it as it comes in. A file is ready only where its header is the one that the
 * descriptor signs, its MAC holds under the released key, and size and digest of the whole sealed file agree.
 * @param folder empty and private, in memory where there is such a place
 */
export async function openInputs(
  server: ClientDeps,
  { order, fileKeys, folder }: { readonly order: Order; readonly fileKeys: ReadonlyMap<Digest, Uint8Array>; readonly folder: string },
  options: RetryOptions
): Promise<NotebookInput[]> {
  const opened: NotebookInput[] = [];
  for (const [at, input] of order.inputs.entries()) {
    const fileKey = fileKeys.get(input.asset);
    if (fileKey === undefined) throw new AppError('receipt_rejected', 'an input has no key');
    const file = join(folder, String(at));
    await withRetries(() => openInput(server, { input, fileKey, file }, options.signal), options);
    opened.push({ name: input.name, file, mediaType: input.descriptor.mediaType });
  }
  return opened;
}

async function openInput(
  server: ClientDeps,
  { input, fileKey, file }: { readonly input: OrderedInput; readonly fileKey: Uint8Array; readonly file: string },
  signal: AbortSignal
): Promise<void> {
  const { digest, size, custodians } = input.descriptor;
  const sealed = await openRoute(server, SERVER_ROUTES.getAssetFile, { params: { digest }, signal });
  await openToFile(sealed.body, { fileKey }, { digest, size, header: fromBase64Url(custodians[0].wrapped) }, file);
}
