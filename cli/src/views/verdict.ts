import type { Verdict } from '@cloister/protocol';
import type { Style } from '../terminal/style.js';
import { wrap } from '../terminal/wrap.js';

/** Exit codes of all commands that verify. */
export const VERDICT_EXIT: Readonly<Record<Verdict, number>> = { verified: 0, failed: 1, inconclusive: 2, simulated: 3 };

const HEADLINES: Readonly<Record<Verdict, string>> = {
  verified: 'VERIFIED',
  failed: 'NOT VERIFIED: something contradicts',
  inconclusive: 'COULD NOT CHECK: something that a verdict needs is missing',
  simulated: 'SIMULATED ONLY: no hardware vouches for this'
};

/** What was verified: a whole report, or a token by itself. */
export type Verified = 'report' | 'token';

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
  }
};

const NOT_PROVEN: Readonly<Record<Verified, string>> = {
  report: 'It does not prove that the notebook is correct, that its outputs disclose nothing, or that the hardware’s maker is honest.',
  token: 'It does not prove what the program did, or that the hardware’s maker is honest.'
};

/** One verdict in words, in the colour that it deserves: green for verified alone. */
export function formatVerdict(verdict: Verdict, style: Style): string {
  const paint = verdict === 'verified' ? style.good : verdict === 'failed' ? style.bad : style.caution;
  return paint(style.strong(HEADLINES[verdict]));
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
