import * as z from 'zod/mini';
import { bytesToHex } from '@noble/hashes/utils.js';
import { AppError } from '../../errors.js';
import { fromBase64, fromBase64Url } from '../../bytes/base64url.js';
import { digestOf, labelledHash } from '../../bytes/digest.js';
import { jcs, parseJcs } from '../../bytes/jcs.js';
import { parseJson } from '../../bytes/json.js';
import { fromUtf8 } from '../../bytes/text.js';
import { CodeListing, Parameters, codeDigest, decodeBundle, parametersCommitment, requireBundleAgrees } from '../../objects/bundle.js';
import { canonicalNotebookBytes, isCanonicalNotebook } from '../../objects/notebook.js';
import { Environment } from '../../objects/policy.js';
import { Bytes32, Digest } from '../../objects/primitives.js';
import { outputCommitment } from '../../report/output-commitment.js';
import { sha256Bytes } from '../../bytes/digest.js';
import { TextOrBytes, bytesOf, defineOperation, type Operation } from './operation.js';

const Label = z.enum(['cloister/parameters/v1', 'cloister/release/v1', 'cloister/report/v1', 'cloister/output/v1']);

/** Texts, digests, bundles and notebooks. */
export const BYTE_OPERATIONS: Readonly<Record<string, Operation>> = {
  parseJson: defineOperation(TextOrBytes, input => ({ canonical: jcs(parseJson(bytesOf(input))) })),
  canonicalize: defineOperation(TextOrBytes, input => {
    const canonical = jcs(parseJson(bytesOf(input)));
    return { canonical, digest: digestOf(new TextEncoder().encode(canonical)) };
  }),
  requireCanonical: defineOperation(TextOrBytes, input => {
    parseJcs(bytesOf(input));
    return { digest: digestOf(bytesOf(input)) };
  }),
  base64url: defineOperation(z.strictObject({ text: z.string() }), ({ text }) => ({ hex: bytesToHex(fromBase64Url(text)) })),
  base64: defineOperation(z.strictObject({ text: z.string() }), ({ text }) => ({ hex: bytesToHex(fromBase64(text)) })),
  labelledHash: defineOperation(z.strictObject({ label: Label, bytes: z.string() }), ({ label, bytes }) => ({ hash: labelledHash(label, fromBase64Url(bytes)) })),
  outputCommitment: defineOperation(z.strictObject({ salt: Bytes32, plaintext: z.string() }), ({ salt, plaintext }) => ({
    commitment: outputCommitment(fromBase64Url(salt), sha256Bytes(fromBase64Url(plaintext)))
  })),
  parametersCommitment: defineOperation(z.strictObject({ salt: Bytes32, parameters: Parameters, purpose: z.string() }), input => ({ commitment: parametersCommitment(input) })),
  codeDigest: defineOperation(z.strictObject({ listing: z.json() }), ({ listing }) => {
    const parsed = CodeListing.safeParse(listing);
    if (!parsed.success) throw new AppError('invalid_object', 'not a code listing', { cause: parsed.error });
    return { digest: codeDigest(parsed.data) };
  }),
  openBundle: defineOperation(
    z.strictObject({ bytes: z.string(), code: z.optional(z.strictObject({ digest: Digest, environment: Environment, parameters: Bytes32 })) }),
    ({ bytes, code }) => {
      const bundle = decodeBundle(fromBase64Url(bytes));
      if (code !== undefined) requireBundleAgrees(bundle, code);
      return { code: codeDigest(bundle.header), parameters: parametersCommitment(bundle.header), files: [...bundle.files.keys()] };
    }
  ),
  canonicalNotebook: defineOperation(TextOrBytes, input => ({ canonical: fromUtf8(canonicalNotebookBytes(bytesOf(input))) })),
  /** What a runner and an approving broker do with every notebook of an opened bundle. */
  requireCanonicalNotebook: defineOperation(TextOrBytes, input => {
    if (!isCanonicalNotebook(bytesOf(input))) throw new AppError('notebook_not_canonical', 'the notebook is not in canonical form');
    return {};
  })
};
