import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toUtf8 } from '@cloister/protocol';
import { buildReportPage, type ReportPageInput } from './build-report-page.js';
import { parseEmbedded } from './page/embedded-data.js';
import { loadPageParts, type PageParts } from './page-parts.js';
import { changeReport, createTestPage } from './testing/test-pages.js';

const folder = mkdtempSync(join(tmpdir(), 'report-page-'));
afterAll(() => rmSync(folder, { recursive: true }));

let input: ReportPageInput;
// The built ones are looked at by the bundle's own test, and run in a browser by ui-tests.
const parts: PageParts = { script: '(()=>{"use strict"})();\n', style: 'body{margin:0}', licences: 'zod: MIT <colin@example.org> & others' };

beforeAll(async () => {
  input = await createTestPage();
});

const between = (text: string, start: string, end: string): string => text.slice(text.indexOf(start) + start.length, text.indexOf(end, text.indexOf(start)));
const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

describe('the page', () => {
  test('carries exactly the bytes, the trust and the policy that were given', async () => {
    const html = await buildReportPage(input, parts);
    expect(parseEmbedded(between(html, 'id="data">', '</script>'))).toEqual({ ...input, exportedAt: input.exportedAt.toISOString() });
  });

  test('may run its own script and style, by their hashes, and nothing else', async () => {
    const html = await buildReportPage(input, parts);
    const policy = between(html, 'http-equiv="Content-Security-Policy" content="', '">').split('; ');
    expect(policy).toEqual([
      "default-src 'none'",
      `script-src ${hashOf(between(html, '<script>', '</script>'))}`,
      `style-src ${hashOf(between(html, '<style>', '</style>'))}`,
      "base-uri 'none'",
      "form-action 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'"
    ]);
    expect(html).toContain('zod: MIT &lt;colin@example.org&gt; &amp; others');
    expect(html.indexOf('Content-Security-Policy')).toBeLessThan(html.indexOf('<style>'));
    const [markup = ''] = html.split('<script type="application/json"');
    expect(markup).not.toMatch(/ (style|on[a-z]+|src|href)="|unsafe|<(link|img|iframe|object|embed)\b/);
  });

  test('names no address that it would load from and says nothing good before its program ran', async () => {
    const html = await buildReportPage(input, parts);
    const seen = between(html, '<body>', '<details class="licences');
    expect(seen).toContain('Not verified yet');
    expect(seen).toContain('Scripting is off in this browser, so nothing was verified.');
    expect(seen).not.toMatch(/src=|tone-|is-verified/);
  });
});

describe('no content of a report or of a trust file ends an element', () => {
  const HOSTILE = '</script><script>window.hacked=1</script><!-- <script> ]]> \u2028\u2029 &lt; "\'`</STYLE>';

  test('in the trust, the policy and the report', async () => {
    const trust = { ...input.trust, images: input.trust.images.map(value => ({ ...value, source: HOSTILE })) };
    const policy = input.policy === undefined ? undefined : { ...input.policy, zones: [HOSTILE] };
    const html = await buildReportPage({ ...changeReport(input, () => HOSTILE), trust, policy }, parts);
    const scripts = html.match(/<script|<\/script|<!--/gi);
    expect(scripts).toEqual(['<script', '</script', '<script', '</script']);
    const data = between(html, 'id="data">', '</script>');
    expect(data).not.toMatch(/[<>&\u2028\u2029]/);
    const read = parseEmbedded(data);
    expect(read.trust.images[0]?.source).toBe(HOSTILE);
    expect(read.policy?.zones).toEqual([HOSTILE]);
    expect(read.report).toEqual(toUtf8(HOSTILE));
  });

  test('bytes that are no text at all come through as they are', async () => {
    const report = Uint8Array.from({ length: 256 }, (_, at) => at);
    expect(parseEmbedded(between(await buildReportPage({ ...input, report }, parts), 'id="data">', '</script>')).report).toEqual(report);
  });

  test.each(['a</script>', 'a</STYLE >', '<!-- a', 'a\rb'])('refuses a program that would: %j', async script => {
    await expect(buildReportPage(input, { ...parts, script })).rejects.toMatchObject({ code: 'internal' });
    await expect(buildReportPage(input, { ...parts, style: script })).rejects.toMatchObject({ code: 'internal' });
  });
});

test('reads the parts as they were built', async () => {
  for (const [name, text] of Object.entries({ 'page.js': parts.script, 'page.css': parts.style, 'licences.txt': parts.licences })) writeFileSync(join(folder, name), text);
  expect(await loadPageParts(pathToFileURL(`${folder}/`))).toEqual(parts);
});

test('says what to do where the program was not built', async () => {
  await expect(loadPageParts(pathToFileURL(`${join(folder, 'nothing-here')}/`))).rejects.toMatchObject({ code: 'internal', hint: 'In a checkout, run `npm run build` first.' });
});
