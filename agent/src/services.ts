import { createProver, type ClientDeps, type Transport } from '@cloister/protocol';
import type { Clock } from '@cloister/kit';
import type { AnalystKeys } from './keys/analyst-keys.js';

/** What the agent's parts work with. Made once, in `app.ts`. */
export interface Services {
  readonly keys: AnalystKeys;
  readonly transport: Transport;
  /** For what nobody asked for just now, such as a stream that reconnects. */
  readonly background: Transport;
  readonly serverUrl: string;
  readonly clock: Clock;
}

/** A client that proves each request as the analyst's own. */
export function clientOf({ keys, transport, clock }: Services, baseUrl: string): ClientDeps {
  return { transport, baseUrl, prove: createProver(keys.signer, clock) };
}

export const serverOf = (services: Services): ClientDeps => clientOf(services, services.serverUrl);

export const backgroundServerOf = (services: Services): ClientDeps => serverOf({ ...services, transport: services.background });
