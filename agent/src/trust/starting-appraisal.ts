import { AppError, createAppraisal, type AppraisalPolicy, type Trust } from '@cloister/protocol';

/** What every runner is told at launch: where to ask, and for what. No secret, and no code. */
const RUNNER_VARIABLES = ['CLOISTER_ATTEMPT', 'CLOISTER_JOB', 'CLOISTER_SERVER'];
/** And on one machine: by which socket, and with which Python. */
const LOCAL_VARIABLES = ['CLOISTER_GATEWAY', 'CLOISTER_PYTHON'];

/**
 * A policy to begin with: everything that is pinned, and strict in all else.
 * @param projects cloud projects that runs are accepted from; none given accepts any
 * @throws AppError trust_missing where no verifier or no image is pinned: a policy that accepts nothing checks nothing
 */
export function startingAppraisal(trust: Trust, projects: readonly string[]): AppraisalPolicy {
  const verifiers = trust.verifiers.map(verifier => verifier.issuer);
  const images = trust.images.map(value => value.image);
  if (verifiers.length === 0) throw new AppError('trust_missing', 'your trust file pins no verifier', { hint: 'Pin one first: cloister trust add verifier google' });
  if (images.length === 0) throw new AppError('trust_missing', 'your trust file lists no runner image', { hint: 'List one first: cloister trust add image sha256:… --source "how you know it"' });
  const local = trust.verifiers.some(verifier => verifier.kind === 'simulator');
  return createAppraisal({
    verifiers,
    images,
    projects: projects.length === 0 ? 'any' : [...projects],
    envOverrides: [...RUNNER_VARIABLES, ...(local ? LOCAL_VARIABLES : [])]
  });
}
