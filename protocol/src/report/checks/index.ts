import type { ReportCheck } from '../report-check.js';
import { code } from './code.js';
import { inputs } from './inputs.js';
import { job } from './job.js';
import { obligations } from './obligations.js';
import { outcome } from './outcome.js';
import { owners } from './owners.js';
import { policies } from './policies.js';
import { receipts } from './receipts.js';
import { exactReceipts } from './receipts-exact.js';
import { recipients } from './recipients.js';
import { requirements } from './runner-requirements.js';
import { instance } from './same-machine.js';
import { session } from './session.js';
import { image } from './statement-image.js';
import { subjects } from './subjects.js';
import { timing } from './timing.js';
import { witnesses } from './witnesses.js';

/** All questions, in the order in which a person would ask them. All are asked, whatever the first ones say. */
export const REPORT_CHECKS: readonly ReportCheck[] = [
  job,
  session,
  instance,
  owners,
  inputs,
  requirements,
  receipts,
  exactReceipts,
  policies,
  code,
  image,
  obligations,
  recipients,
  subjects,
  outcome,
  timing,
  witnesses
];
