import { createSigningKey, generateIdentity, recipientOf, signerOf, type AgeRecipient, type Signer } from '@cloister/protocol';

/** Made for one attempt, kept in memory only, gone with the process: what an attempt got, no other can open. */
export interface AttemptKeys {
  /** `AGE-SECRET-KEY-1…`. Brokers seal releases to its recipient. */
  readonly identity: string;
  readonly recipient: AgeRecipient;
  /** Signs the runner's requests to the server. */
  readonly signer: Signer;
}

export async function createAttemptKeys(): Promise<AttemptKeys> {
  const identity = await generateIdentity();
  return { identity, recipient: await recipientOf(identity), signer: await signerOf(await createSigningKey()) };
}
