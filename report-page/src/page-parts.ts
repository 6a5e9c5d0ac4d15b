import { readFile } from 'node:fs/promises';
import { AppError } from '@cloister/protocol';

/** What every exported page has in common; made by scripts/build-report-page.mjs. */
export interface PageParts {
  /** The verifier and the view as one classic script. */
  readonly script: string;
  readonly style: string;
  /** Licence texts of the packages within the script. */
  readonly licences: string;
}

const BUNDLE = new URL('../lib/bundle/', import.meta.url);

/**
 * Reads the built parts.
 * @param folder where they lie; by default beside this package's own code
 * @throws AppError internal where they were not built
 */
export async function loadPageParts(folder: URL = BUNDLE): Promise<PageParts> {
  try {
    const [script, style, licences] = await Promise.all(['page.js', 'page.css', 'licences.txt'].map(name => readFile(new URL(name, folder), 'utf8')));
    return { script: script ?? '', style: style ?? '', licences: licences ?? '' };
  } catch (cause) {
    throw new AppError('internal', 'the page’s program is missing from this installation', { cause, hint: 'In a checkout, run `npm run build` first.' });
  }
}
