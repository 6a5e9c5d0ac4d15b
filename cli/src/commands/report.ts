import type { AddCommand } from './command.js';
import { addReportDiff } from './report-diff.js';
import { addReportExport } from './report-export.js';

export const addReport: AddCommand = (program, open) => {
  const report = program.command('report').description('Reports: compare two, or hand one on. To check one: cloister verify.');
  addReportDiff(report, open);
  addReportExport(report, open);
};
