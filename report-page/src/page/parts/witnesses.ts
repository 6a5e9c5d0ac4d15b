import type { ReportEvidence, Trust } from '@cloister/protocol';
import { el, section, shown, table } from '../element.js';
import { formatTime } from '../quantities.js';

/** Brokers that countersigned this statement and no other of the attempt. Whether they hold is among the checks. */
export function witnesses({ witnesses: all, descriptors }: ReportEvidence, trust: Trust): HTMLElement {
  if (all.length === 0) {
    return section('witnesses', 'Witnesses', el('p', {}, 'None. No broker countersigned, so a second report about the same attempt would be seen only by whoever holds both.'));
  }
  const names = new Map<string, string>(trust.owners.map(owner => [owner.thumbprint, owner.name]));
  const keeps = new Map<string, string | undefined>(descriptors.map(({ payload }) => [payload.custodians[0].broker, names.get(payload.owner)]));
  const rows = all.map(({ signer, payload }) => [shown(signer, 'code'), keeps.get(signer) ?? 'nobody that this page’s trust lists', formatTime(payload.time)]);
  return section(
    'witnesses',
    'Witnesses',
    el('p', {}, 'These brokers countersigned this statement. Each countersigns one for an attempt, so it would refuse a second. Whether their words hold is among the checks.'),
    table('Witnesses', ['Broker’s key', 'Keeps keys for', 'Seen, by its own clock'], rows)
  );
}
