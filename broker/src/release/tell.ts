import { jcs, type DenialReason } from '@cloister/protocol';

/**
 * What of a denial its analyst is told. Whoever makes a key can sign a manifest and ask, so an analyst whom no policy
 * names learns that, and nothing of what the rules say. Who else is named is told to nobody.
 */
export function tellable(reasons: readonly DenialReason[], listed: boolean): DenialReason[] {
  if (listed) return reasons.map(reason => (reason.code === 'analyst' ? withoutExpected(reason) : reason));
  const stranger = reasons.filter(reason => reason.code === 'analyst');
  const told = (stranger.length > 0 ? stranger : reasons).map(({ asset, bundle, code }) => ({
    ...(asset === undefined ? {} : { asset }),
    ...(bundle === undefined ? {} : { bundle }),
    code
  }));
  return [...new Map(told.map(reason => [jcs(reason), reason])).values()];
}

function withoutExpected({ expected, ...rest }: DenialReason): DenialReason {
  return expected === undefined ? rest : { ...rest, expected: 'an analyst whom the rule names' };
}
