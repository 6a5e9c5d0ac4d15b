export { buildReportPage, type ReportPageInput } from './build-report-page.js';
export { loadPageParts, type PageParts } from './page-parts.js';
