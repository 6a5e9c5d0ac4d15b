/**
 * The program of an exported page: verifies the report in the page by the trust in the page, with the same code as the command
 * line, and shows what it found. Nothing is fetched. Until it has run to its end, the page says that nothing was verified.
 */
import { AppError } from '@cloister/protocol';
import { parseEmbedded, type EmbeddedData } from './embedded-data.js';
import { verifyEmbedded } from './outcome.js';
import type { Frame } from './parts/banner.js';
import { openInPrint } from './print.js';
import { render, renderObstacle } from './render.js';

const ELSEWHERE = 'Check it by the command line: cloister verify FILE --trust your-trust.json --policy your-policy.json.';

async function start(): Promise<void> {
  const frame: Frame = { page: byId('page'), banner: byId('banner'), verdict: byId('verdict'), running: byId('running'), contents: byId('contents') };
  let data: EmbeddedData | undefined;
  try {
    openInPrint(window);
    data = parseEmbedded(byId('data').textContent);
    if (!canVerify()) {
      renderObstacle(frame, { why: 'This browser offers no cryptography here: it does so for files on the disk and for pages over https.', next: `Save the page and open it from the disk. ${ELSEWHERE}` }, data);
      return;
    }
    render(frame, await verifyEmbedded(data, new Date()), data);
  } catch (error) {
    const damaged = error instanceof AppError;
    const why = damaged ? 'The data in this page is damaged or was changed.' : 'This page’s program failed in this browser.';
    renderObstacle(frame, { why, next: damaged ? 'Ask whoever made the page for it anew.' : ELSEWHERE }, data);
    // For whoever looks into it; a page that swallowed its own faults could not be mended.
    if (!damaged) throw error;
  }
}

function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no element ${id}`);
  return element;
}

/** Browsers have `subtle` in secure contexts alone, whatever the type says. */
function canVerify(): boolean {
  return 'crypto' in window && 'subtle' in window.crypto;
}

void start();
