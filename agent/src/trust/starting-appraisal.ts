import { AppError, createAppraisal, type AppraisalPolicy, type Trust } from '@cloister/protocol';

/** What every runner is told at launch: where to ask, and for what. No secret, and no code. */
const RUNNER_VARIABLES = ['CLOISTER_ATTEMPT', 'CLOISTER_JOB', 'CLOISTER_SERVER'];
/** And on one machine: by which socket, and with which Python. */
const LOCAL_VARIABLES = ['CLOISTER_GATEWAY', 'CLOISTER_PYTHON'];

export interface StartingDemands {
  /** Cloud projects that runs are accepted from; none given accepts any. */
  readonly projects: readonly string[];
  /** For the simulator, although hardware is pinned too. */
  readonly simulator: boolean;
}

export interface StartingAppraisal {
  readonly policy: AppraisalPolicy;
  /** Whose runs it accepts: never both, since a simulator's word must not count where hardware's is asked for. */
  readonly accepts: 'hardware' | 'simulator';
  /** The other is pinned as well, and needs a policy of its own. */
  readonly leavesOther: boolean;
}

/**
 * A policy to begin with: everything that is pinned, and strict in all else. It is for hardware, and for the simulator only where
 * nothing else is pinned or somebody says so; what a local run needs besides is allowed there alone.
 * @throws AppError trust_missing where no verifier or no image is pinned: a policy that accepts nothing checks nothing
 */
export function startingAppraisal(trust: Trust, { projects, simulator }: StartingDemands): StartingAppraisal {
  const [hardware, simulators] = [issuersOf(trust, false), issuersOf(trust, true)];
  const accepts = simulator || hardware.length === 0 ? 'simulator' : 'hardware';
  const [verifiers, others] = accepts === 'hardware' ? [hardware, simulators] : [simulators, hardware];
  if (verifiers.length === 0 && others.length > 0) throw new AppError('trust_missing', 'your trust file pins no simulator', { hint: 'Leave --simulator out: the policy is then for the hardware that you pin.' });
  const images = trust.images.map(value => value.image);
  if (verifiers.length === 0) throw new AppError('trust_missing', 'your trust file pins no verifier', { hint: 'Pin one first: cloister trust add verifier google' });
  if (images.length === 0) throw new AppError('trust_missing', 'your trust file lists no runner image', { hint: 'List one first: cloister trust add image sha256:… --source "how you know it"' });
  const policy = createAppraisal({
    verifiers,
    images,
    projects: projects.length === 0 ? 'any' : [...projects],
    envOverrides: [...RUNNER_VARIABLES, ...(accepts === 'simulator' ? LOCAL_VARIABLES : [])]
  });
  return { policy, accepts, leavesOther: others.length > 0 };
}

function issuersOf({ verifiers }: Trust, simulator: boolean): string[] {
  return verifiers.filter(verifier => (verifier.kind === 'simulator') === simulator).map(verifier => verifier.issuer);
}
