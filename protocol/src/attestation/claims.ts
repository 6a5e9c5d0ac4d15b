import type { Json } from '../bytes/json.js';
import { Digest } from '../objects/primitives.js';
import { isObject } from './token.js';

/**
 * Claims of a Confidential Space token (Google, "Attestation token claims"), read leniently where real tokens vary
 * and not at all where they do not fit: a member of the wrong type is absent, and its check fails.
 */
export interface Claims {
  readonly raw: Readonly<Record<string, Json>>;
  readonly issuer?: string;
  readonly hardware?: string;
  readonly image?: Digest;
  readonly instance?: string;
  readonly project?: string;
  readonly zone?: string;
  /** A time in seconds, where it is an integer. */
  readonly issuedAt?: number;
  readonly notBefore?: number;
  readonly expiresAt?: number;
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
  const overrides = at(raw, 'submods', 'container', 'env_override');
  return {
    raw,
    nonces: nonces ?? [],
    noncesMalformed: nonces === undefined,
    envOverrides: isObject(overrides) ? Object.keys(overrides).sort() : [],
    // absent on tokens without overrides, null on older ones
    envOverridesMalformed: overrides !== undefined && overrides !== null && !isObject(overrides),
    ...text('issuer', raw['iss']),
    ...text('hardware', raw['hwmodel']),
    ...digest('image', at(raw, 'submods', 'container', 'image_digest')),
    ...text('instance', at(raw, 'submods', 'gce', 'instance_name')),
    ...text('project', at(raw, 'submods', 'gce', 'project_id')),
    ...text('zone', at(raw, 'submods', 'gce', 'zone')),
    ...seconds('issuedAt', raw['iat']),
    ...seconds('notBefore', raw['nbf']),
    ...seconds('expiresAt', raw['exp'])
  };
}

/** The member at a path of objects, or undefined. */
export function at(raw: Json | Readonly<Record<string, Json>>, ...path: readonly string[]): Json | undefined {
  let value: Json | undefined = isObject(raw) ? raw : undefined;
  for (const name of path) {
    value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}

const MAX_NONCES = 6;

function readNonces(value: Json | undefined): readonly string[] | undefined {
  if (value === undefined) return [];
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value) || value.length < 2 || value.length > MAX_NONCES) return undefined;
  return value.every(item => typeof item === 'string') ? value : undefined;
}

type Named<K extends string, T> = Partial<Readonly<Record<K, T>>>;

function text<K extends string>(key: K, value: Json | undefined): Named<K, string> {
  return typeof value === 'string' && value !== '' ? named(key, value) : {};
}

/** The last second of the year 9999: later times have no RFC 3339 form, and the largest have no Date at all. */
const LAST_SECOND = 253_402_300_799;

function seconds<K extends string>(key: K, value: Json | undefined): Named<K, number> {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= LAST_SECOND ? named(key, value) : {};
}

function digest<K extends string>(key: K, value: Json | undefined): Named<K, Digest> {
  const parsed = Digest.safeParse(value);
  return parsed.success ? named(key, parsed.data) : {};
}

function named<K extends string, T>(key: K, value: T): Named<K, T> {
  const result: Named<K, T> = {};
  return Object.assign(result, { [key]: value });
}
