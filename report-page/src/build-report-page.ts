import { createHash } from 'node:crypto';
import { AppError, toBase64, type AppraisalPolicy, type Trust } from '@cloister/protocol';
import { escapeHtml, escapeJson } from './escape.js';
import { loadPageParts, type PageParts } from './page-parts.js';

/** What one page is about. */
export interface ReportPageInput {
  /** The report file's exact bytes, whatever they are: the page verifies them, not this function. */
  readonly report: Uint8Array;
  /** The trust that the page verifies by; all of it can be read in the page. */
  readonly trust: Trust;
  /** The exporter's demands on the runner; without any the page's verdict is at best inconclusive. */
  readonly policy: AppraisalPolicy | undefined;
  readonly exportedAt: Date;
}

/**
 * One HTML document that carries a report, the trust and the policy to verify it with, and the verifier. It verifies itself when
 * opened, and its Content Security Policy lets it run its own script alone and reach nothing.
 * @throws AppError internal where the page's parts were not built
 */
export async function buildReportPage({ report, trust, policy, exportedAt }: ReportPageInput, parts?: PageParts): Promise<string> {
  const { script, style, licences } = parts ?? (await loadPageParts());
  refuseEnds(script, style);
  const data = escapeJson({ v: 1, exportedAt: exportedAt.toISOString(), report: toBase64(report), trust, ...(policy === undefined ? {} : { policy }) });
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy(script, style)}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="referrer" content="no-referrer">',
    '<meta name="color-scheme" content="light dark">',
    '<title>Attestation report, not verified yet</title>',
    `<style>${style}</style>`,
    '</head>',
    '<body>',
    body(licences),
    `<script type="application/json" id="data">${data}</script>`,
    `<script>${script}</script>`,
    '</body>',
    '</html>',
    ''
  ].join('\n');
}

/**
 * Only these very texts run or style the page, and nothing is loaded or sent, whatever the report says. Where the browser knows
 * Trusted Types, no text can become markup either.
 */
function contentSecurityPolicy(script: string, style: string): string {
  return [
    "default-src 'none'",
    `script-src '${sourceHash(script)}'`,
    `style-src '${sourceHash(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'"
  ].join('; ');
}

const sourceHash = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;

/** What would end an element early, or be read by the browser as other text than was hashed. */
function refuseEnds(script: string, style: string): void {
  const bad = /<\/(script|style)|<!--|[\r\0]/i;
  if (bad.test(script) || bad.test(style)) throw new AppError('internal', 'the page’s program cannot be put into HTML');
}

/** What is read where the program does not run: it says that nothing was verified. The program fills the rest. */
function body(licences: string): string {
  return `<div class="sheet">
<div class="running" aria-hidden="true"><p id="running">Attestation report. Nothing was verified.</p></div>
<main id="page">
<header class="verdict" id="banner">
<div class="verdict-words" role="status" id="verdict">
<h1>Not verified yet</h1>
<p>This page’s program has not run. If this text stays, it was changed, or this browser does not run it: then nothing was verified.</p>
</div>
</header>
<noscript><div class="note caution"><p><strong>Scripting is off in this browser, so nothing was verified.</strong> Allow it for this page, or ask for the report itself and check it by <code>cloister verify</code>.</p></div></noscript>
<div id="contents"></div>
<details class="licences no-print">
<summary>Licences of the software in this page</summary>
<pre tabindex="0">${escapeHtml(licences)}</pre>
</details>
</main>
</div>`;
}
