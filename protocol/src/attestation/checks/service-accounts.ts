import { expectedList, fail, pass } from '../check.js';
import type { ClaimCheck } from '../expectation.js';

/** `google_service_accounts`: in whose name the machine could act. */
export const serviceAccounts: ClaimCheck = {
  id: 'service_accounts',
  title: 'The machine acted in accepted names only',
  run: ({ claims, expect: { policy } }) => {
    const accounts = claims.raw['google_service_accounts'] ?? [];
    if (!Array.isArray(accounts) || !accounts.every(account => typeof account === 'string')) return fail('a list of texts', accounts);
    const { serviceAccounts: allowed } = policy;
    if (allowed === 'any') return pass(accounts);
    return accounts.every(account => allowed.includes(account)) ? pass(accounts) : fail(expectedList(allowed), accounts);
  }
};
