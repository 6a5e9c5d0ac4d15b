import type { Measurement } from './figure.js';
import { daemonRest } from './measures/daemon-rest.js';
import { dataGrowth } from './measures/data-growth.js';
import { decryption } from './measures/decryption.js';
import { jobList } from './measures/job-list.js';
import { labReady } from './measures/lab-ready.js';
import { notebookTime } from './measures/notebook-time.js';
import { parserWorstCase } from './measures/parser-worst-case.js';
import { sidebarPaint } from './measures/sidebar-paint.js';
import { stateToPanel } from './measures/state-to-panel.js';
import { submitTime } from './measures/submit-time.js';
import { tokenVerification } from './measures/token-verification.js';

/** All that is measured, in the order of the result. */
export const MEASUREMENTS: readonly Measurement[] = [notebookTime, submitTime, jobList, daemonRest, dataGrowth, decryption, labReady, stateToPanel, sidebarPaint, tokenVerification, parserWorstCase];
