import { compareUtf8, type Digest, type Thumbprint } from '@cloister/protocol';
import type { Order } from '../order.js';

/** A broker that signed objects name, with all that it must release in this job. */
export interface NamedBroker {
  readonly broker: Thumbprint;
  readonly url: string;
  /** Inputs whose descriptor names it. */
  readonly assets: readonly Digest[];
  /** Whether the analyst named it as a custodian of her code. */
  readonly keepsCode: boolean;
}

/** In order of thumbprint, so that two jobs that want the same uses cannot wait for each other. */
export function inputBrokers(order: Order): NamedBroker[] {
  const byBroker = new Map<Thumbprint, { url: string; assets: Digest[] }>();
  for (const { asset, descriptor } of order.inputs) {
    const [{ broker, url }] = descriptor.custodians;
    // Where two descriptors give one broker two addresses, either will do: what it answers is signed.
    const known = byBroker.get(broker) ?? { url, assets: [] };
    known.assets.push(asset);
    byBroker.set(broker, known);
  }
  return [...byBroker]
    .map(([broker, { url, assets }]) => ({ broker, url, assets, keepsCode: custodianOf(order, broker) !== undefined }))
    .sort((a, b) => compareUtf8(a.broker, b.broker));
}

/** Custodians of the code that keep no input, in the analyst's order: asked only where no broker of an input keeps the code. */
export function codeOnlyBrokers(order: Order): NamedBroker[] {
  const inputs = new Set(inputBrokers(order).map(({ broker }) => broker));
  return order.manifest.code.custodians
    .filter(({ broker }) => !inputs.has(broker))
    .map(({ broker, url }) => ({ broker, url, assets: [], keepsCode: true }));
}

function custodianOf(order: Order, broker: Thumbprint): unknown {
  return order.manifest.code.custodians.find(custodian => custodian.broker === broker);
}
