import type { AddCommand } from './command.js';
import { addTrustAdd } from './trust-add.js';
import { addTrustList } from './trust-list.js';
import { addTrustPolicy } from './trust-policy.js';
import { addTrustRemove } from './trust-remove.js';
import { addTrustUpdate } from './trust-update.js';

export const addTrust: AddCommand = (program, open) => {
  const trust = program.command('trust').description('Whom you trust: owners, verifiers, runner images. Nothing but these commands and your editor changes it.');
  addTrustList(trust, open);
  addTrustAdd(trust, open);
  addTrustRemove(trust, open);
  addTrustUpdate(trust, open);
  addTrustPolicy(trust, open);
};
