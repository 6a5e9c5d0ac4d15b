import { readClaims, readToken, type Json } from '@cloister/protocol';
import type { IClaimView, ITokenView } from './report-view';

const MOST_CLAIMS = 200;
const DEEPEST = 8;

/** A token taken apart for people; where it cannot be, its raw text alone. Nothing of it is verified here. */
export function describeToken(raw: string): ITokenView {
  const { token } = readToken(raw);
  if (token === undefined) return { raw, header: [], claims: [], leftOut: 0 };
  const { issuer, issuedAt, expiresAt } = readClaims(token.claims);
  const claims = leavesOf(token.claims);
  return {
    raw,
    header: leavesOf(token.header).slice(0, MOST_CLAIMS),
    claims: claims.slice(0, MOST_CLAIMS),
    leftOut: Math.max(0, claims.length - MOST_CLAIMS),
    ...(issuer === undefined ? {} : { issuer }),
    ...(issuedAt === undefined ? {} : { issuedAt: timeOf(issuedAt) }),
    ...(expiresAt === undefined ? {} : { expiresAt: timeOf(expiresAt) })
  };
}

/** Every value with its path. Lists stay whole, as do empty objects and what is nested too deep to read. */
function leavesOf(value: Json | Readonly<Record<string, Json>>, path = '', depth = 0): IClaimView[] {
  const isBranch = typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
  if (!isBranch || depth >= DEEPEST) return [{ path, value: typeof value === 'string' ? value : JSON.stringify(value) }];
  return Object.entries(value).flatMap(([name, item]) => leavesOf(item, path === '' ? stepOf(name) : `${path}.${stepOf(name)}`, depth + 1));
}

/** A name that itself has dots, and one of no characters, is quoted, so that it cannot pass for the path of another claim. */
function stepOf(name: string): string {
  return name === '' || name.includes('.') || name.startsWith('"') ? JSON.stringify(name) : name;
}

/** Seconds since 1970 as RFC 3339. */
function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
