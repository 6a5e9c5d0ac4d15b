import { pass, unknown } from '../../attestation/check.js';
import type { ReportCheck } from '../report-check.js';

export const owners: ReportCheck = {
  id: 'owners',
  title: 'Every input was described by an owner that you pinned',
  run: ({ evidence, trust }) => {
    const pinned = new Map(trust.owners.map(owner => [owner.thumbprint, owner.name]));
    const strangers = evidence.descriptors.filter(descriptor => !pinned.has(descriptor.payload.owner));
    if (strangers.length > 0) return unknown(`not pinned: ${strangers.map(descriptor => descriptor.payload.owner).join(', ')}`);
    return pass(evidence.descriptors.map(({ payload }) => `${pinned.get(payload.owner) ?? payload.owner}/${payload.name} version ${payload.version}`));
  }
};
