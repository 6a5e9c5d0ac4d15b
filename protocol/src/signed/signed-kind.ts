import type * as z from 'zod/mini';

/** What kind of object a signature is over. Apart from the signing itself, so that schemas cost no cryptography. */
export interface SignedKind<S extends z.ZodMiniType> {
  readonly kind: string;
  readonly schema: S;
}

/** Names a kind; the name goes into `typ`, so that an object of one kind never passes for another. */
export function defineSignedKind<S extends z.ZodMiniType>(kind: string, schema: S): SignedKind<S> {
  return { kind, schema };
}
