import {
  AppError,
  Digest,
  PinnedOwner,
  Trust,
  appendKeySet,
  jcs,
  type KeySet,
  type PinnedRoot,
  type PinnedVerifier
} from '@cloister/protocol';

/**
 * Changes of `trust.json`, each pure: the trust as it would be. A change that says what is there already gives back the
 * very same object; one that contradicts it is refused, since only a person can say which of the two is right.
 */

export const NO_TRUST: Trust = { v: 1, owners: [], verifiers: [], images: [] };

/** @throws AppError usage | already_exists */
export function addOwner(trust: Trust, { name, thumbprint }: { readonly name: string; readonly thumbprint: string }): Trust {
  const owner = PinnedOwner.safeParse({ name, thumbprint });
  if (!owner.success) {
    throw new AppError('usage', 'that is no owner’s name and thumbprint', {
      cause: owner.error,
      hint: 'A name has up to 64 small letters, digits, dots, hyphens and underscores; a thumbprint has 43 letters, digits, hyphens and underscores, as `cloister owner init` shows it.'
    });
  }
  const same = trust.owners.find(other => other.name === name || other.thumbprint === thumbprint);
  if (same === undefined) return checked({ ...trust, owners: [...trust.owners, owner.data] });
  if (same.name === name && same.thumbprint === thumbprint) return trust;
  throw new AppError('already_exists', `${same.thumbprint} is pinned as ${same.name}`, { hint: `Take it out first, if that is wrong: cloister trust remove owner ${same.name}` });
}

/** @throws AppError usage */
export function addImage(trust: Trust, { image, source }: { readonly image: string; readonly source: string }): Trust {
  const digest = digestOrThrow(image);
  if (source.trim() === '') throw new AppError('usage', 'it is not said where the digest comes from', { hint: 'Say how you know it: --source "rebuilt from tag v1.2 on my machine".' });
  if (trust.images.some(value => value.image === digest)) return trust;
  return checked({ ...trust, images: [...trust.images, { image: digest, source }] });
}

/** Pins an issuer; to one that is pinned already, roots that are new are added. Its keys and its kind stay. @throws AppError already_exists */
export function addVerifier(trust: Trust, verifier: PinnedVerifier): Trust {
  const known = trust.verifiers.find(other => other.issuer === verifier.issuer);
  if (known === undefined) return checked({ ...trust, verifiers: [...trust.verifiers, verifier] });
  if (known.kind !== verifier.kind) throw new AppError('already_exists', `${known.issuer} is pinned as a verifier of the kind ${known.kind}`);
  return verifier.roots.reduce((changed, root) => addRoot(changed, known.issuer, root), trust);
}

/** @throws AppError not_found where the issuer is not pinned */
export function addRoot(trust: Trust, issuer: string, root: PinnedRoot): Trust {
  const verifier = verifierOf(trust, issuer);
  if (verifier.roots.some(known => known.fingerprint === root.fingerprint)) return trust;
  return replaceVerifier(trust, { ...verifier, roots: [...verifier.roots, root] });
}

/** Puts a key set into a verifier’s archive, with the time at which it was seen. @throws AppError not_found | payload_too_large */
export function addKeySet(trust: Trust, issuer: string, set: KeySet): Trust {
  const verifier = verifierOf(trust, issuer);
  const jwks = appendKeySet(verifier.jwks, set);
  return jcs(jwks) === jcs(verifier.jwks) ? trust : replaceVerifier(trust, { ...verifier, jwks });
}

/** @throws AppError not_found */
export function replaceVerifier(trust: Trust, verifier: PinnedVerifier): Trust {
  verifierOf(trust, verifier.issuer);
  return checked({ ...trust, verifiers: trust.verifiers.map(other => (other.issuer === verifier.issuer ? verifier : other)) });
}

/** @throws AppError not_found */
export function removeOwner(trust: Trust, name: string): Trust {
  return { ...trust, owners: without(trust.owners, owner => owner.name === name, `an owner called ${name}`) };
}

/** @throws AppError usage | not_found */
export function removeImage(trust: Trust, image: string): Trust {
  const digest = digestOrThrow(image);
  return { ...trust, images: without(trust.images, value => value.image === digest, digest) };
}

/** @throws AppError not_found */
export function removeVerifier(trust: Trust, issuer: string): Trust {
  return { ...trust, verifiers: without(trust.verifiers, verifier => verifier.issuer === issuer, issuer) };
}

/** @throws AppError not_found */
export function verifierOf(trust: Trust, issuer: string): PinnedVerifier {
  const verifier = trust.verifiers.find(other => other.issuer === issuer);
  if (verifier === undefined) throw notPinned(issuer);
  return verifier;
}

function without<T>(list: readonly T[], matches: (item: T) => boolean, what: string): T[] {
  const left = list.filter(item => !matches(item));
  if (left.length === list.length) throw notPinned(what);
  return left;
}

const notPinned = (what: string): AppError => new AppError('not_found', `your trust file does not pin ${what}`, { hint: 'See what it pins: cloister trust list' });

function digestOrThrow(text: string): Digest {
  const digest = Digest.safeParse(text);
  if (!digest.success) throw new AppError('usage', 'that is no image digest', { hint: 'It looks like sha256: and 64 small hexadecimal digits.' });
  return digest.data;
}

/** What the file's own schema refuses, as too many of a kind, must not be written. @throws AppError usage */
function checked(trust: Trust): Trust {
  const parsed = Trust.safeParse(trust);
  if (!parsed.success) throw new AppError('usage', `the trust file would not be well formed at ${parsed.error.issues[0]?.path.join('.') ?? 'its top'}`, { cause: parsed.error });
  return parsed.data;
}
