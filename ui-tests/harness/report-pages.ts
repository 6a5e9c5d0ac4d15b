import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildReportPage, type ReportPageInput } from '@cloister/report-page';
import { changeReport, createTestPage, tamper } from '../../report-page/src/testing/test-pages.js';
import { poisonPlainly, poisonReport, swellReport } from './hostile-report.js';

/** The pages that are looked at, by their name. */
export const PAGES = ['verified', 'simulated', 'failed', 'tampered', 'inconclusive', 'no-report'] as const;
export type PageName = (typeof PAGES)[number];

/** Exported pages in a folder of their own, as files on the disk. */
export class ReportPages {
  readonly #folder = mkdtempSync(join(tmpdir(), 'cloister-report-pages-'));

  /** Writes a page and gives its file: URL. */
  write(name: string, html: string): string {
    const file = join(this.#folder, `${name}.html`);
    writeFileSync(file, html);
    return pathToFileURL(file).href;
  }

  async export(name: string, input: ReportPageInput): Promise<string> {
    return this.write(name, await buildReportPage(input));
  }

  close(): void {
    rmSync(this.#folder, { recursive: true });
  }
}

/** What the page of that name is made of. */
export async function pageInput(name: PageName): Promise<ReportPageInput> {
  const genuine = await createTestPage({ genuine: true });
  switch (name) {
    case 'verified':
      return genuine;
    case 'simulated':
      return createTestPage();
    case 'failed':
      return createTestPage({ genuine: true, instance: 'job-9', witnesses: 'none' });
    case 'tampered':
      return changeReport(genuine, tamper);
    case 'inconclusive':
      return { ...genuine, policy: undefined, trust: { ...genuine.trust, owners: genuine.trust.owners.slice(1), images: [] } };
    case 'no-report':
      return changeReport(genuine, () => 'a photograph');
  }
}

/** The same report in the hands of somebody who wants to run something in the reader's browser. */
export function hostileInputs(input: ReportPageInput): readonly { readonly name: string; readonly input: ReportPageInput }[] {
  const markup = '</script><img src=x onerror="window.cloisterHacked=1"><script>window.cloisterHacked=1</script><!--\u2028\u202Egnp.evil';
  const trust = {
    ...input.trust,
    images: input.trust.images.map(value => ({ ...value, source: markup })),
    verifiers: input.trust.verifiers.map(verifier => ({ ...verifier, source: markup }))
  };
  return [
    { name: 'every text replaced, also the signed', input: changeReport(input, poisonReport) },
    { name: 'every text replaced in the clear', input: changeReport(input, poisonPlainly) },
    { name: 'swollen', input: changeReport(input, swellReport) },
    { name: 'a trust and a policy that are markup', input: { ...input, trust, ...(input.policy === undefined ? {} : { policy: { ...input.policy, zones: [markup] } }) } }
  ];
}
