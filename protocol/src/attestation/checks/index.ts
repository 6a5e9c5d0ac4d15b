import type { ClaimCheck } from '../expectation.js';
import { audience } from './audience.js';
import { command } from './command.js';
import { debug } from './debug.js';
import { environment } from './environment.js';
import { hardware } from './hardware.js';
import { image } from './image.js';
import { instance } from './instance.js';
import { monitoring } from './monitoring.js';
import { nonce } from './nonce.js';
import { project } from './project.js';
import { restart } from './restart.js';
import { secureBoot } from './secure-boot.js';
import { software } from './software.js';
import { support } from './support.js';
import { tcb } from './tcb.js';
import { time } from './time.js';

/**
 * Checks whose answer is the hardware's word, as the verifier passed it on. Under a simulator they are the simulator's,
 * and are to be shown as such.
 */
export const HARDWARE_CHECKS: ReadonlySet<string> = new Set(
  [hardware, software, secureBoot, debug, support, tcb, image, command, environment, restart, monitoring, project, instance].map(check => check.id)
);

/** All questions, in the order in which a person would ask them. All are asked, whatever the first ones say. */
export const CLAIM_CHECKS: readonly ClaimCheck[] = [
  audience,
  nonce,
  time,
  hardware,
  software,
  secureBoot,
  debug,
  support,
  tcb,
  image,
  command,
  environment,
  restart,
  monitoring,
  project,
  instance
];
