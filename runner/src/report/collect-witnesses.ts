import {
  AppError,
  BROKER_ROUTES,
  WITNESS,
  callRoute,
  compareUtf8,
  digestOf,
  fromBase64,
  isWitnessOf,
  toTime,
  verifyObject,
  type CompactJws,
  type Report,
  type WitnessedStatement
} from '@cloister/protocol';
import type { NamedBroker } from '../attestation/brokers.js';
import type { BrokerDeps } from '../attestation/challenges.js';
import type { RunnerDeps } from '../deps.js';
import { withRetries } from '../retry.js';
import type { FinishedRun } from './statement.js';

/** For all brokers together: they are asked at once. A broker that is slower is no witness. */
const DEFAULT_WITNESS_MS = 5000;

/**
 * Asks every broker that released to countersign the statement, and gives the report with the witnesses that hold, sorted by
 * broker. A report needs none, so whatever a broker does here fails no job: one that cannot be reached, refuses, is slow or
 * answers something else is left out.
 */
export async function witnessed(report: Report, { order, access, result }: FinishedRun, deps: BrokerDeps & Pick<RunnerDeps, 'witnessMs'>): Promise<Report> {
  const brokers = access.releases.map(release => release.broker).sort((a, b) => compareUtf8(a.broker, b.broker));
  const { job, attempt } = order;
  const statement = digestOf(fromBase64(report.statement));
  const of = { job, attempt, session: access.session.nonce, statement, ended: toTime(result.endedAt) };
  const signal = AbortSignal.any([deps.signal, AbortSignal.timeout(deps.witnessMs ?? DEFAULT_WITNESS_MS)]);
  const asked = await Promise.allSettled(brokers.map(broker => askOne(broker, { report, of }, { ...deps, signal })));
  const witnesses = asked.flatMap(answer => (answer.status === 'fulfilled' ? [answer.value] : []));
  return { ...report, witnesses };
}

/** Checked here too: a witness of something else would make the whole report fail. */
async function askOne({ broker, url }: NamedBroker, { report, of }: { readonly report: Report; readonly of: WitnessedStatement }, deps: BrokerDeps): Promise<CompactJws> {
  const client = { transport: deps.transport, baseUrl: url };
  const { witness } = await withRetries(() => callRoute(client, BROKER_ROUTES.createWitness, { body: { report }, signal: deps.signal }), { ...deps, tries: 3 });
  const { payload, jws } = await verifyObject(WITNESS, witness, broker);
  if (!isWitnessOf(payload, of)) throw new AppError('receipt_rejected', 'the witness is of another statement');
  return jws;
}
