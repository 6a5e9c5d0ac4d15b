import { AppError, DENIAL, verifyObject, type Denial } from '@cloister/protocol';
import type { BrokerWorld } from './broker-world.js';

/** The error that a promise rejects with. For tests; fails where it resolves. */
export async function refusal(promise: Promise<unknown>): Promise<AppError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await refusal(promise)).code;
}

/** The signed denial in a refusal, verified by the pinned broker, and its reasons' codes, each once. */
export async function denialIn(world: BrokerWorld, promise: Promise<unknown>): Promise<{ code: string; denial: Denial; reasons: string[] }> {
  const { code, members } = await refusal(promise);
  const jws = members['denials'];
  if (typeof jws !== 'string') throw new Error(`${code} came without a signed denial`);
  const denial = (await verifyObject(DENIAL, jws, world.pinned.description.broker)).payload;
  return { code, denial, reasons: [...new Set(denial.denials.map(reason => reason.code))] };
}
