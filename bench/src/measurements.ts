import type { Measurement } from './figure.js';
import { daemonRest } from './measures/daemon-rest.js';
import { dataGrowth } from './measures/data-growth.js';
import { decryption } from './measures/decryption.js';
import { jobList } from './measures/job-list.js';
import { notebookTime } from './measures/notebook-time.js';
import { submitTime } from './measures/submit-time.js';

/** All that is measured, in the order of the result. */
export const MEASUREMENTS: readonly Measurement[] = [notebookTime, submitTime, jobList, daemonRest, dataGrowth, decryption];
