import type { ClaimCheck } from '../expectation.js';
import { args } from './arguments.js';
import { audience } from './audience.js';
import { command } from './command.js';
import { debug } from './debug.js';
import { envOverride } from './env-override.js';
import { freshness } from './freshness.js';
import { gpu } from './gpu.js';
import { hardware } from './hardware.js';
import { imageSignatures } from './image-signatures.js';
import { image } from './image.js';
import { instance } from './instance.js';
import { issued } from './issued.js';
import { lifetime } from './lifetime.js';
import { monitoring } from './monitoring.js';
import { nonce } from './nonce.js';
import { project } from './project.js';
import { restart } from './restart.js';
import { secureBoot } from './secure-boot.js';
import { serviceAccounts } from './service-accounts.js';
import { software } from './software.js';
import { support } from './support.js';
import { tcb } from './tcb.js';
import { variables } from './variables.js';
import { zone } from './zone.js';

/**
 * Checks whose answer is the hardware's word, as the verifier passed it on. Under a simulator they are the simulator's,
 * and are to be shown as such.
 */
const OF_HARDWARE: readonly ClaimCheck[] = [
  hardware,
  software,
  secureBoot,
  debug,
  support,
  tcb,
  gpu,
  image,
  imageSignatures,
  command,
  args,
  envOverride,
  variables,
  restart,
  monitoring,
  project,
  zone,
  serviceAccounts,
  instance
];

/** Ids of the checks whose answer is the hardware's word. */
export const HARDWARE_CHECKS: ReadonlySet<string> = new Set(OF_HARDWARE.map(check => check.id));

/** All questions about claims, in the order in which a person would ask them. All are asked, whatever the first ones say. */
export const CLAIM_CHECKS: readonly ClaimCheck[] = [audience, nonce, lifetime, issued, freshness, ...OF_HARDWARE];
