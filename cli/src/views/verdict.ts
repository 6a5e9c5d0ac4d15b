import type { Verdict } from '@cloister/protocol';
import type { Style } from '../terminal/style.js';
import { wrap } from '../terminal/wrap.js';
import type { Lapsed } from '../tokens/judge-token.js';

/** Exit codes of all commands that verify. */
export const VERDICT_EXIT: Readonly<Record<Verdict, number>> = { verified: 0, failed: 1, inconclusive: 2, simulated: 3 };

const HEADLINES: Readonly<Record<Verdict, string>> = {
  verified: 'VERIFIED',
  failed: 'NOT VERIFIED: something contradicts',
  inconclusive: 'COULD NOT CHECK: something that a verdict needs is missing',
  simulated: 'SIMULATED ONLY: no hardware vouches for this'
};

/** What was verified: a whole report, or a token by itself, or one that has expired since it was issued. */
export type Verified = 'report' | 'token' | 'lapsed';

const MEANINGS: Readonly<Record<Verified, Readonly<Record<Verdict, string>>>> = {
  report: {
    verified: 'Genuine hardware ran exactly this code on exactly these sealed inputs, under the owners’ policies, and these outputs came out.',
    failed: 'At least one part contradicts another, or what you trust. Do not rely on these outputs.',
    inconclusive: 'Nothing contradicts, and something is missing, so nobody can say. The checks marked “unknown” say what.',
    simulated: 'Nothing contradicts, but a simulator on an ordinary machine signed it: whoever runs that machine could have seen and changed everything.'
  },
  token: {
    verified: 'A verifier that you trust says that such a machine runs such a program, and it answers exactly what you asked.',
    failed: 'At least one claim contradicts what you demand, or the token is not genuine. Do not rely on it.',
    inconclusive: 'Nothing contradicts, and something is missing, so nobody can say. The checks marked “unknown” say what.',
    simulated: 'Nothing contradicts, but a simulator on an ordinary machine signed it: no hardware stands behind it.'
  },
  lapsed: {
    verified: 'When it was issued, a verifier that you trust said that such a machine ran such a program, and it answered exactly what you asked. Whether it still does, this token cannot say.',
    failed: 'At least one claim contradicts what you demand, or the token is not genuine. Do not rely on it. It has also expired.',
    inconclusive: 'Nothing contradicts, and something is missing, so nobody can say. The checks marked “unknown” say what. The token was judged at its time of issue, and has expired since.',
    simulated: 'Nothing contradicted when it was issued, and it has expired since. A simulator on an ordinary machine signed it: no hardware stood behind it.'
  }
};

const NO_TOKEN_PROVES = 'It does not prove what the program did, or that the hardware’s maker is honest.';

const NOT_PROVEN: Readonly<Record<Verified, string>> = {
  report: 'It does not prove that the notebook is correct, that its outputs disclose nothing, or that the hardware’s maker is honest.',
  token: NO_TOKEN_PROVES,
  lapsed: NO_TOKEN_PROVES
};

/** One verdict in words, in the colour that it deserves: green for verified alone. */
export function formatVerdict(verdict: Verdict, style: Style): string {
  const paint = verdict === 'verified' ? style.good : verdict === 'failed' ? style.bad : style.caution;
  return paint(style.strong(HEADLINES[verdict]));
}

/** The verdict on a token that has expired, in the past tense and not green: it was judged at its time of issue. */
export function formatLapsed(verdict: Verdict, { issued, ended }: Lapsed, style: Style): string {
  if (verdict !== 'verified' || issued === undefined) return formatVerdict(verdict, style);
  return style.caution(`${style.strong(`WAS VERIFIED at its time of issue, ${issued}.`)}\n${style.strong(`It has expired since, at ${ended}.`)}`);
}

export interface ExplainOptions {
  readonly style: Style;
  readonly width: number;
  readonly of: Verified;
}

/** What the verdict means for who wants to rely on it, and what it leaves open. */
export function explainVerdict(verdict: Verdict, { style, width, of }: ExplainOptions): string {
  return [...wrap(MEANINGS[of][verdict], width), ...wrap(NOT_PROVEN[of], width).map(style.faint)].join('\n');
}
