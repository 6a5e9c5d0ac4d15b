import type { Json } from '../bytes/json.js';
import { Digest } from '../objects/primitives.js';
import { isObject, readToken } from './token.js';

/**
 * Claims of a Confidential Space token (Google, "Attestation token claims"), read leniently where real tokens vary
 * and not at all where they do not fit: a member of the wrong type is absent, and its check fails.
 */
export interface Claims {
  readonly raw: Readonly<Record<string, Json>>;
  /** The submodules that questions are about (`submods`); empty where there is none of that name. */
  readonly container: Readonly<Record<string, Json>>;
  readonly space: Readonly<Record<string, Json>>;
  readonly gce: Readonly<Record<string, Json>>;
  readonly issuer: string | undefined;
  readonly hardware: string | undefined;
  readonly image: Digest | undefined;
  readonly instance: string | undefined;
  readonly project: string | undefined;
  readonly zone: string | undefined;
  /** A time in seconds, where it is an integer. */
  readonly issuedAt: number | undefined;
  readonly notBefore: number | undefined;
  readonly expiresAt: number | undefined;
  /** eat_nonce as a list: real tokens carry a string for one nonce and an array for several. */
  readonly nonces: readonly string[];
  /** True where eat_nonce has a form that no real token has. */
  readonly noncesMalformed: boolean;
  readonly envOverrides: readonly string[];
  readonly envOverridesMalformed: boolean;
}

/** The claims that the checks look at. Never throws: what does not fit is absent or marked as malformed. */
export function readClaims(raw: Readonly<Record<string, Json>>): Claims {
  const nonces = readNonces(raw['eat_nonce']);
  const container = objectOf(at(raw, 'submods', 'container'));
  const gce = objectOf(at(raw, 'submods', 'gce'));
  const { env_override: overrides } = container;
  return {
    raw,
    container,
    space: objectOf(at(raw, 'submods', 'confidential_space')),
    gce,
    nonces: nonces ?? [],
    noncesMalformed: nonces === undefined,
    envOverrides: isObject(overrides) ? Object.keys(overrides).sort() : [],
    // absent on tokens without overrides, null on older ones
    envOverridesMalformed: overrides !== undefined && overrides !== null && !isObjectOfTexts(overrides),
    issuer: textOf(raw['iss']),
    hardware: textOf(raw['hwmodel']),
    image: digestOf(container['image_digest']),
    instance: textOf(gce['instance_name']),
    project: textOf(gce['project_id']),
    zone: textOf(gce['zone']),
    issuedAt: secondsOf(raw['iat']),
    notBefore: secondsOf(raw['nbf']),
    expiresAt: secondsOf(raw['exp'])
  };
}

/** The claims of a token that nobody verified, for what is shown, compared or looked up by them; undefined where it cannot be taken apart. */
export function readTokenClaims(compact: string): Claims | undefined {
  const { token } = readToken(compact);
  return token === undefined ? undefined : readClaims(token.claims);
}

/** The member at a path of objects, or undefined. */
export function at(raw: Json | Readonly<Record<string, Json>> | undefined, ...path: readonly string[]): Json | undefined {
  let value: Json | undefined = isObject(raw) ? raw : undefined;
  for (const name of path) {
    value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}

function isObjectOfTexts(value: Json): boolean {
  return isObject(value) && Object.values(value).every(item => typeof item === 'string');
}

const MAX_NONCES = 6;

function readNonces(value: Json | undefined): readonly string[] | undefined {
  if (value === undefined) return [];
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value) || value.length < 2 || value.length > MAX_NONCES) return undefined;
  return value.every(item => typeof item === 'string') ? value : undefined;
}

function objectOf(value: Json | undefined): Readonly<Record<string, Json>> {
  return isObject(value) ? value : {};
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The last second of the year 9999: later times have no RFC 3339 form, and the largest have no Date at all. */
const LAST_SECOND = 253_402_300_799;

function secondsOf(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= LAST_SECOND ? value : undefined;
}

function digestOf(value: Json | undefined): Digest | undefined {
  return Digest.safeParse(value).data;
}
