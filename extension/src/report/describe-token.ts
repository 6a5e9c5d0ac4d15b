import { AppError, parseToken, type Json } from '@cloister/protocol';
import type { IClaimView, ITokenView } from './report-view';

const MOST_CLAIMS = 200;
const DEEPEST = 8;

/** A token taken apart for people; where it cannot be, its raw text alone. Nothing of it is verified here. */
export function describeToken(raw: string): ITokenView {
  try {
    const { header, claims } = parseToken(raw);
    const all = leavesOf(claims);
    return {
      raw,
      header: leavesOf(header).slice(0, MOST_CLAIMS),
      claims: all.slice(0, MOST_CLAIMS),
      leftOut: Math.max(0, all.length - MOST_CLAIMS),
      ...text('issuer', claims['iss']),
      ...text('hardware', claims['hwmodel']),
      ...time('issuedAt', claims['iat']),
      ...time('expiresAt', claims['exp'])
    };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { raw, header: [], claims: [], leftOut: 0 };
  }
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

function text<K extends 'issuer' | 'hardware'>(name: K, value: Json | undefined): Partial<Record<K, string>> {
  const result: Partial<Record<K, string>> = {};
  return typeof value === 'string' ? Object.assign(result, { [name]: value }) : result;
}

/** Seconds since 1970 as RFC 3339, where a Date can hold them. */
function time<K extends 'issuedAt' | 'expiresAt'>(name: K, value: Json | undefined): Partial<Record<K, string>> {
  const result: Partial<Record<K, string>> = {};
  const date = new Date(typeof value === 'number' ? value * 1000 : Number.NaN);
  return Number.isNaN(date.getTime()) ? result : Object.assign(result, { [name]: date.toISOString() });
}
