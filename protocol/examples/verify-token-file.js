// node verify-token-file.js TOKEN EXPECT [JWKS]: a token in a file, judged at its time of issue. Without JWKS it must be a PKI token.
import { readFile, stat } from 'node:fs/promises';
import { createAppraisal, Digest, verifyAttestation } from '@cloister/protocol/attestation';
import { googleByKeys, googleByRoot, intelByKeys } from './pin-verifiers.js';

const [tokenFile, expectFile, keysFile] = process.argv.slice(2);
if (tokenFile === undefined || expectFile === undefined) throw new Error('usage: node verify-token-file.js TOKEN EXPECT [JWKS]');
const token = (await readFile(tokenFile, 'utf8')).trim();
const { verifier, audience, nonce, image, project } = JSON.parse(await readFile(expectFile, 'utf8'));

const pinned = keysFile === undefined ? googleByRoot() : await pinnedByFile(keysFile);
const policy = createAppraisal({ verifiers: [pinned.issuer], images: [Digest.parse(image)], projects: [project] });
const { accepted, checks } = await verifyAttestation(token, {
  trust: { verifiers: [pinned] },
  expect: { audience, nonce, policy, freshness: { kind: 'report' } },
  now: new Date()
});
for (const { id, status, expected, actual, hint } of checks) {
  if (status !== 'pass') console.log(status, id, JSON.stringify({ expected, actual, hint }));
}
console.log(accepted ? 'accepted' : 'refused');
process.exitCode = accepted ? 0 : 1;

/** @param {string} file a key set, saved when it was fetched */
async function pinnedByFile(file) {
  const origin = { seen: (await stat(file)).mtime, source: file };
  return (verifier === 'intel' ? intelByKeys : googleByKeys)(await readFile(file, 'utf8'), origin);
}
