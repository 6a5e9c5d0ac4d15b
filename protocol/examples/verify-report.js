// node verify-report.js REPORT TRUST POLICY: a report (*.attestation.json), your trust and your appraisal policy, all JSON files.
import { readFile } from 'node:fs/promises';
import { AppraisalPolicy, parseJson, Trust, verifyReport } from '@cloister/protocol/report';

const [reportFile, trustFile, policyFile] = process.argv.slice(2);
if (reportFile === undefined || trustFile === undefined || policyFile === undefined) throw new Error('usage: node verify-report.js REPORT TRUST POLICY');
const { verdict, checks } = await verifyReport(parseJson(await readFile(reportFile)), {
  trust: Trust.parse(JSON.parse(await readFile(trustFile, 'utf8'))),
  policy: AppraisalPolicy.parse(JSON.parse(await readFile(policyFile, 'utf8'))),
  now: new Date()
});
for (const { status, title, hint } of checks) console.log(status.padEnd(7), title, hint ?? '');
console.log(verdict);
process.exitCode = verdict === 'verified' ? 0 : 1;
