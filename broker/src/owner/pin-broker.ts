import { createPrivateFile } from '@cloister/kit';
import { AppError, BROKER, BROKER_ROUTES, BrokerDescription, ServiceUrl, Thumbprint, callRoute, jcs, verifyObject, type Transport } from '@cloister/protocol';
import { join } from 'node:path';
import * as z from 'zod/mini';
import type { Owner } from './owner.js';
import { readRecord } from './records.js';

const PinnedBroker = z.strictObject({ v: z.literal(1), url: ServiceUrl, description: BrokerDescription });

export interface PinnedBroker {
  /** Where the broker is reached; the keys count, not the address. */
  readonly url: string;
  readonly description: BrokerDescription;
}

export interface BrokerPlace {
  readonly url: string;
  readonly transport: Transport;
  /** Thumbprint of the broker's signing key, as the broker printed it at its start. Needed on first contact. */
  readonly brokerKey?: string;
}

const pinFile = (owner: Owner): string => join(owner.dir, 'broker.json');

/** The pinned broker. @throws AppError trust_missing where none is pinned yet */
export async function pinnedBroker(owner: Owner): Promise<PinnedBroker> {
  const pinned = await readRecord(pinFile(owner), PinnedBroker);
  if (pinned === undefined) throw new AppError('trust_missing', `no broker is pinned in ${owner.dir}`, { hint: 'Seal an asset first: that pins its broker.' });
  return { url: pinned.url, description: pinned.description };
}

/**
 * Asks a broker for its keys and pins them on first contact, where they are signed by the key that the owner was told
 * by another way: whatever answers at an address could otherwise have data sealed to itself. Only the daemon of her own
 * machine, which her transport reaches by a private socket, is believed without. Later other keys are refused.
 * @throws AppError trust_missing where the key is needed and not given
 * @throws AppError wrong_signer where it is another key, or the broker serves another owner
 */
export async function pinBroker(owner: Owner, place: BrokerPlace): Promise<PinnedBroker> {
  const url = ServiceUrl.safeParse(place.url);
  if (!url.success) throw new AppError('invalid_request', `${place.url} is not the address of a service`, { hint: 'Give http(s)://host without a slash at the end.' });
  const expected = expectedKey(place.brokerKey);
  const pinned = await readRecord(pinFile(owner), PinnedBroker);
  if (pinned === undefined && expected === undefined && !isOwnMachine(url.data)) {
    throw new AppError('trust_missing', `the broker at ${url.data} is not pinned yet, and nothing says which key it has`, {
      hint: 'Give the thumbprint that the broker printed at its start, as by --broker-key.'
    });
  }
  const description = await askForKeys(place.transport, url.data, expected);
  if (description.owner !== owner.signer.thumbprint) {
    throw new AppError('wrong_signer', `the broker at ${url.data} serves ${description.owner}, not you`, { hint: 'Start it with your own thumbprint as its owner.' });
  }
  if (pinned === undefined) {
    await createPrivateFile(pinFile(owner), `${jcs({ v: 1, url: url.data, description })}\n`);
    return { url: url.data, description };
  }
  if (jcs(pinned.description) !== jcs(description)) {
    throw new AppError('wrong_signer', `the broker at ${url.data} has other keys than the one that you pinned`, {
      hint: `If you made a new broker, remove ${pinFile(owner)} and seal your assets again.`
    });
  }
  return { url: url.data, description };
}

function expectedKey(given: string | undefined): Thumbprint | undefined {
  if (given === undefined) return undefined;
  const parsed = Thumbprint.safeParse(given);
  if (!parsed.success) throw new AppError('invalid_request', `${given} is not the thumbprint of a key`, { hint: 'It has 43 characters; the broker prints it at its start.' });
  return parsed.data;
}

/** Addresses of the daemon on this machine: without a port, since by one any local process could be meant. */
function isOwnMachine(serviceUrl: string): boolean {
  const { protocol, hostname, port } = new URL(serviceUrl);
  return protocol === 'http:' && port === '' && hostname.endsWith('.cloister.localhost');
}

async function askForKeys(transport: Transport, baseUrl: string, expected: Thumbprint | undefined): Promise<BrokerDescription> {
  const reply = await callRoute({ transport, baseUrl }, BROKER_ROUTES.describeBroker, {});
  const { payload, signer } = await verifyObject(BROKER, reply.description, description => description.broker);
  if (expected !== undefined && signer !== expected) {
    throw new AppError('wrong_signer', `what answers at ${baseUrl} has the key ${signer}, not ${expected}`, { hint: 'Do not seal anything to it. Ask who runs that address.' });
  }
  return payload;
}
