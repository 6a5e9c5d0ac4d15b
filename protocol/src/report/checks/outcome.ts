import { fail, pass } from '../../attestation/check.js';
import type { ReportCheck } from '../report-check.js';

export const outcome: ReportCheck = {
  id: 'outcome',
  title: 'The outcome fits the cells that ran',
  run: ({ evidence }) => {
    const { outcome: said, cells } = evidence.statement.predicate;
    const fits = said.status === 'succeeded' ? cells.done === cells.total : cells.done <= cells.total;
    return fits ? pass({ ...said, cells }) : fail('all cells done where it succeeded', { ...said, cells });
  }
};
