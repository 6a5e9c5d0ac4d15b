import { AppError, MANIFEST, WrappedCode, fromBase64Url, openBytes, parseJcs, verifyObject, type Manifest, type Verified } from '@cloister/protocol';
import type { BrokerContext } from './context.js';

/** The job that is asked about. */
export interface Subject {
  readonly manifest: Verified<Manifest>;
  /** Absent in a check beforehand. */
  readonly attempt: number | undefined;
  /** Absent where the manifest does not name this broker as a custodian of the code. */
  readonly code: OpenedCode | undefined;
}

/** `fileKey` is secret; it is absent where what was wrapped is not for this analyst and bundle. */
export interface OpenedCode {
  readonly fileKey: string | undefined;
}

/**
 * Verifies a manifest, signed by the analyst whom it names, and opens this broker's share of the code's key.
 * @throws AppError wrong_signer | signature_invalid | invalid_object | not_canonical
 */
export async function readSubject(context: BrokerContext, jws: string, attempt?: number): Promise<Subject> {
  const manifest = await verifyObject(MANIFEST, jws, payload => payload.analyst);
  return { manifest, attempt, code: await openCode(context, manifest.payload) };
}

/**
 * The wrapped key counts only where it says that it is for this very analyst and bundle: otherwise whoever sees a
 * manifest could copy it into her own and have the code opened for her.
 */
async function openCode({ keys }: BrokerContext, manifest: Manifest): Promise<OpenedCode | undefined> {
  const own = manifest.code.custodians.filter(custodian => custodian.broker === keys.signer.thumbprint);
  const [first, ...more] = own;
  if (first === undefined) return undefined;
  if (more.length > 0) return { fileKey: undefined };
  try {
    const parsed = WrappedCode.safeParse(parseJcs(await openBytes(fromBase64Url(first.wrapped), keys.bundle.identity)));
    if (!parsed.success) return { fileKey: undefined };
    const wrapped = parsed.data;
    const bound = wrapped.analyst === manifest.analyst && wrapped.bundle === manifest.code.bundle && fromBase64Url(wrapped.fileKey).length === 16;
    return { fileKey: bound ? wrapped.fileKey : undefined };
  } catch (error) {
    if (error instanceof AppError) return { fileKey: undefined };
    throw error;
  }
}
