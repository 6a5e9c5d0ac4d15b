import { at, type Claims, type Json } from '@cloister/protocol';
import { formatTable } from '../terminal/table.js';
import { valueInWords } from './value-in-words.js';

/** The main claims of a token in words, each its own word alone. */
export interface TokenFacts {
  readonly issuer?: string;
  readonly audience?: Json;
  readonly nonces: readonly string[];
  readonly issued?: string;
  readonly expires?: string;
  readonly hardware?: string;
  readonly software?: Json;
  readonly debug?: Json;
  readonly image?: string;
  readonly instance?: string;
  readonly project?: string;
  readonly zone?: string;
}

export function factsOf(claims: Claims): TokenFacts {
  const { issuer, nonces, issuedAt, expiresAt, hardware, image, instance, project, zone, raw } = claims;
  const given = { issuer, audience: raw['aud'], issued: timeOf(issuedAt), expires: timeOf(expiresAt), hardware, software: softwareOf(raw), debug: raw['dbgstat'], image, instance, project, zone };
  return { nonces, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

const timeOf = (seconds: number | undefined): string | undefined => (seconds === undefined ? undefined : new Date(seconds * 1000).toISOString());

function softwareOf(raw: Claims['raw']): Json | undefined {
  const [name, version] = [raw['swname'], raw['swversion']];
  return name === undefined ? undefined : [name, ...(Array.isArray(version) ? version : []), ...listOf(at(raw, 'submods', 'confidential_space', 'support_attributes'))];
}

const listOf = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);

/** Its lines fit 80 columns with whole digests. */
export function formatFacts(facts: TokenFacts): string {
  const rows = ([
    ['issuer', facts.issuer], ['for', facts.audience], ['nonce', facts.nonces.length === 0 ? undefined : [...facts.nonces]], ['issued', facts.issued], ['expires', facts.expires],
    ['machine', facts.hardware], ['system', facts.software], ['debug', facts.debug], ['image', facts.image], ['name', facts.instance], ['project', facts.project], ['zone', facts.zone]
  ] as const).flatMap(([label, value]) => (value === undefined ? [] : [[label, valueInWords(value)]]));
  return formatTable(rows);
}
