/** What tests use of build-report-page.mjs. */
export function buildReportPageParts(options?: { readonly root?: string; readonly out?: string }): Promise<{ readonly bytes: number; readonly gzipped: number; readonly packages: number }>;
