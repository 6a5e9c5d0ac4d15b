import { expectEqual } from '../../attestation/check.js';
import type { ReportCheck } from '../report-check.js';

export const image: ReportCheck = {
  id: 'statement_image',
  title: 'The statement names the program that the hardware measured',
  run: ({ evidence, claims }) => expectEqual(evidence.statement.predicate.image, claims?.image)
};
