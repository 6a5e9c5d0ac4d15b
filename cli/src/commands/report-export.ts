import { readReportBytes, verifyReportFile } from '@cloister/agent';
import { AppError, type ReportEvidence } from '@cloister/protocol';
import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import { readOwnTrust, type OwnTrust, type TrustFlags } from '../reports/own-trust.js';
import { writePage } from '../reports/write-page.js';
import { formatBytes } from '../terminal/quantities.js';
import { shellWord } from '../terminal/shell-word.js';
import { indent, wrap } from '../terminal/wrap.js';
import { formatVerdict } from '../views/verdict.js';
import type { AddCommand } from './command.js';

interface ExportFlags extends TrustFlags {
  readonly html: string;
  readonly force?: true;
  readonly json?: true;
}

export const addReportExport: AddCommand = (report, open) => {
  report
    .command('export')
    .description('Write one HTML file that carries the report, the trust that you check it by, and the verifier. It checks itself when it is opened, without any network.')
    .argument('<report>', '*.attestation.json')
    .requiredOption('--html <file>', 'the file to write')
    .option('--force', 'also where a file of that name is there')
    .option('--trust <file>', 'whom you trust (default: your trust.json)')
    .option('--policy <file>', 'what you demand of a runner (default: your appraisal.json)')
    .option('--json', 'one JSON object on stdout')
    .action(async (path: string, flags: ExportFlags, command: Command) => exportPage(open(command), path, flags));
};

async function exportPage(context: CliContext, path: string, flags: ExportFlags): Promise<void> {
  const now = context.clock.now();
  const own = await readOwnTrust(context, flags);
  const report = await readReportBytes(path);
  const { verdict, evidence } = await verifyReportFile(path, { ...own, now });
  if (evidence === undefined) throw new AppError('invalid_object', `${path} is no report that can be read`, { hint: 'Give a report: *.attestation.json.' });
  const page = await context.buildPage({ report, ...own, exportedAt: now });
  await writePage(flags.html, page, flags.force === true);
  const size = Buffer.byteLength(page);
  const contents = contentsOf(evidence, own);
  if (flags.json === true) {
    context.printJson({ schema: 'cloister.report-export.v1', file: flags.html, size, verdict, contents });
    return;
  }
  const { print, style, width } = context;
  print(`Wrote ${shellWord(flags.html)}, ${formatBytes(size)}. By your trust the report is now:`);
  print(`  ${formatVerdict(verdict, style)}\n`);
  print('Whoever opens the file sees');
  for (const item of contents) print(indent(item, 2, width));
  print(`\n${wrap('A page from somebody else can say anything. Who wants to be sure saves the report from it and runs `cloister verify` with a trust file of their own.', width).map(style.faint).join('\n')}`);
}

/** What the page tells whoever gets it. Outputs and data are not in it. */
function contentsOf({ manifest, statement, policies }: ReportEvidence, { trust, policy }: OwnTrust): string[] {
  const { inputs, outputs } = manifest.payload;
  return [
    `the job, its analyst’s key, the names of ${counted(inputs, 'input')}, and the digests of code, image and ${counted(statement.subject.slice(1), 'sealed output')};`,
    `the public keys of ${counted(outputs.recipients, 'recipient')}, and of owners and brokers;`,
    ...(policies.length === 0 ? [] : [`owners’ policies that the report carries: ${policies.length};`]),
    `your trust: ${counted(trust.owners, 'owner')} by your names for them (${trust.owners.map(owner => owner.name).join(', ') || 'none'}), ${counted(trust.verifiers, 'verifier')}, ${counted(trust.images, 'image')}, with your words on where each came from;`,
    policy === undefined ? 'no policy, so the page can say no better than “could not check”: --policy FILE;' : 'your policy.',
    'Neither outputs nor data are in it.'
  ];
}

const counted = ({ length }: readonly unknown[], thing: string): string => `${length} ${thing}${length === 1 ? '' : 's'}`;
