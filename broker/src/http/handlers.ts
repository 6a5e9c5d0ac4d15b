import type { Handlers } from '@cloister/kit';
import { AppError, BROKER, BROKER_ROUTES, openApiOf, signObject, type CompactJws, type Thumbprint } from '@cloister/protocol';
import { acceptApproval } from '../approvals/accept-approval.js';
import { acceptDescriptor } from '../custody/accept-descriptor.js';
import { acceptPolicy } from '../custody/accept-policy.js';
import { entriesAfter, ledgerPoint, signHead } from '../ledger/ledger.js';
import { rolledBackAssets } from '../ledger/rollback.js';
import { createChallenge } from '../release/challenge.js';
import { checkManifest } from '../release/check.js';
import type { BrokerContext } from '../release/context.js';
import { release } from '../release/release.js';
import { policiesInForce } from '../store/assets.js';
import { releasedUnder } from '../store/uses.js';
import { witnessReport } from '../witness/witness-report.js';

const LEDGER_PAGE = 500;
const API = openApiOf(BROKER_ROUTES, {
  title: 'Cloister broker',
  version: '1',
  description: 'The data owner’s side: decides by signed policy which attested runner may open which asset. See docs/protocol.md.'
});

/** One handler a route; what they do is elsewhere. */
export function createHandlers(context: BrokerContext): Handlers<typeof BROKER_ROUTES, Thumbprint> {
  const { store, verifierKeys } = context;
  return {
    checkManifest: async ({ body, caller }) => checkManifest(context, body.manifest, caller),
    createChallenge: async ({ body }) => createChallenge(context, body),
    createRelease: async ({ body }) => release(context, { session: body.session, token: body.tokens[0] }),
    createWitness: async ({ body }) => witnessReport(context, body.report),
    putDescriptor: async ({ body }) => ({ asset: await acceptDescriptor(context, body.descriptor) }),
    putPolicy: async ({ body }) => {
      const policy = await acceptPolicy(context, body.policy);
      return { policy: policy.digest, version: policy.payload.version };
    },
    putApproval: async ({ body }) => ({ approval: await acceptApproval(context, body.approval) }),
    listPolicies: async () => ({ policies: await listPolicies(context) }),
    getLedger: async ({ query }) => readLedger(context, Number(query.after ?? 0)),
    describeBroker: async () => ({ description: await describe(context) }),
    health: async () => ({ status: 'ok', checks: { process: 'ok' } }),
    ready: async () => {
      const { seq } = await ledgerPoint(store);
      const lost = await rolledBackAssets(store);
      if (lost.length > 0) throw new AppError('rolled_back', `out of service until a higher policy version: ${lost.join(', ')}`);
      const verifiers = await verifierKeys.check();
      const without = verifiers.filter(({ usable }) => !usable).map(({ issuer, detail }) => `${issuer}: ${detail}`);
      if (without.length > 0) throw new AppError('verifier_keys_unavailable', without.join('; '));
      const published = Object.fromEntries(verifiers.map(({ issuer, detail }) => [issuer, detail]));
      return { status: 'ok', checks: { database: 'ok', keys: 'ok', ledger: `entry ${seq}`, ...published } };
    },
    openapi: async () => API
  };
}

async function describe({ keys, owner }: BrokerContext): Promise<CompactJws> {
  const recipients = { dataset: keys.dataset.recipient, bundle: keys.bundle.recipient, review: keys.review.recipient };
  return (await signObject(BROKER, { v: 1, broker: keys.signer.thumbprint, owner, recipients }, keys.signer)).jws;
}

async function listPolicies({ store, owner }: BrokerContext): Promise<{ policy: string; uses: { rule: string; jobs: number; attempts: number }[] }[]> {
  const listed = [];
  for (const { jws, payload } of await policiesInForce(store, owner)) {
    const uses = [];
    for (const { id } of payload.allow) uses.push({ rule: id, ...(await releasedUnder(store, payload.asset.name, id)) });
    listed.push({ policy: jws, uses });
  }
  return listed;
}

/** The head is of the whole ledger, signed anew, so that an owner sees how far it goes. */
async function readLedger({ store, keys, now }: BrokerContext, after: number): Promise<{ entries: Awaited<ReturnType<typeof entriesAfter>>; head?: string }> {
  return store.transaction().execute(async trx => {
    const entries = await entriesAfter(trx, after, LEDGER_PAGE);
    const head = await signHead(trx, keys.signer, now());
    return head === undefined ? { entries } : { entries, head };
  });
}
