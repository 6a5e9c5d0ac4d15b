import { CLAIM_SURVIVORS } from './claim-survivors.js';
import { REPORT_SURVIVORS } from './report-survivors.js';
import type { Survivor } from './survivor.js';

/** All of them. One that is not here, or that is here and gets through no longer, fails the tests. */
export const SURVIVORS: readonly Survivor[] = [...CLAIM_SURVIVORS, ...REPORT_SURVIVORS];

/** Whether one mutant got through. */
export interface Finding {
  readonly of: string;
  readonly path: string;
  readonly kind: string;
  readonly survived: boolean;
}

export interface Comparison {
  /** Mutants that got through and are not listed: holes, until somebody says why not. */
  readonly unlisted: readonly string[];
  /** Listed ones that do not get through, or that nobody tried. */
  readonly stale: readonly string[];
}

const nameOf = ({ of, path, kind }: Pick<Finding, 'of' | 'path' | 'kind'>): string => `${of} ${path}: ${kind}`;
const NEVER_ANY = ['twice', 'twice, the first false', 'twice, the last false', 'swap'];

/** Compares what got through with the list. @param partly only some mutants were tried, so that nothing is known of the others */
export function compareSurvivors(found: readonly Finding[], subject: string, { partly }: { readonly partly: boolean }): Comparison {
  const tried = new Set(found.map(nameOf));
  const survived = new Set(found.filter(finding => finding.survived).map(nameOf));
  const parts = new Set(found.map(({ of }) => of));
  const listed = new Set(SURVIVORS.filter(({ of, only }) => parts.has(of) && (only?.includes(subject) ?? true)).flatMap(survivor => namesOf(survivor, found)));
  return {
    unlisted: [...survived].filter(name => !listed.has(name)),
    stale: [...listed].filter(name => !survived.has(name) && !(partly && !tried.has(name)))
  };
}

function namesOf({ of, paths, kinds }: Survivor, found: readonly Finding[]): string[] {
  return paths.flatMap(path => {
    if (kinds !== 'any') return kinds.map(kind => nameOf({ of, path, kind }));
    return found.filter(finding => finding.of === of && finding.path === path && !NEVER_ANY.includes(finding.kind)).map(nameOf);
  });
}
