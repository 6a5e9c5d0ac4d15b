import type { TranslationBundle } from '@jupyterlab/translation';
import { visibleLine, type Digest, type DraftView } from '@cloister/protocol';
import type { IOwnJob } from '../model/own-job';
import type { IProblem } from '../model/problem';
import { purposeProblem, timeProblem, type ISubmitValues } from './submit-values';

/** What became of the wish to have an asset's mock. */
export interface IMockOutcome {
  readonly state: 'busy' | 'fetched' | 'current' | 'differs' | 'none' | 'failed';
  readonly path?: string | undefined;
  readonly problem?: IProblem;
}

/** Where a panel stands. */
export interface ISubmitState {
  /** `waiting`: nobody has looked at the panel yet. `drafting`: the agent packages and asks. */
  readonly phase: 'waiting' | 'drafting' | 'ready' | 'submitting' | 'submitted';
  readonly values: ISubmitValues;
  /** What is shown to be sent. */
  readonly draft?: DraftView | undefined;
  /** What went wrong last, of making the draft or of sending it. */
  readonly problem?: IProblem | undefined;
  /** Why Submit was pressed and nothing was sent: what is shown now is not what was shown before. */
  readonly notice?: 'code-changed' | 'answers-changed' | undefined;
  /** The notebook as it is open. `edited`: it has unsaved edits. `saved`: it was saved after the draft was made. */
  readonly notebook: 'as-drafted' | 'edited' | 'saved';
  readonly secretsAccepted: boolean;
  /** The job that was submitted. */
  readonly job?: Digest | undefined;
  /** What the server says of that job. */
  readonly own?: IOwnJob | undefined;
  /** By name of the asset. */
  readonly mocks: Readonly<Record<string, IMockOutcome>>;
}

/** Why Submit cannot be pressed, one sentence a reason, the weightiest first; none where it can. */
export function blockersOf(state: ISubmitState, trans: TranslationBundle): string[] {
  const { draft, phase, values, secretsAccepted } = state;
  if (phase === 'submitting') return [trans.__('Submitting…')];
  if (phase === 'drafting' || phase === 'waiting') return [trans.__('Packaging and asking the owners…')];
  if (draft === undefined) return [trans.__('There is nothing to submit before the problem above is solved.')];
  const { time, purpose } = { time: timeProblem(values, trans), purpose: purposeProblem(values, trans) };
  return [
    ...draft.decisions.flatMap(decision => refusalInWords(decision, trans)),
    ...(draft.secrets.length > 0 && !secretsAccepted ? [trans.__('Look at the likely secrets first, and say that they may be sent.')] : []),
    ...(time === undefined ? [] : [time]),
    ...(purpose === undefined ? [] : [purpose])
  ];
}

function refusalInWords({ owner, decision, reasons, assets }: DraftView['decisions'][number], trans: TranslationBundle): string[] {
  const name = visibleLine(owner, 60);
  if (decision === 'unreachable') return [trans.__('%1 gives no answer now. Press Refresh to ask again.', name)];
  if (decision !== 'deny') return [];
  const [reason] = [...reasons, ...assets.filter(asset => asset.decision === 'deny').flatMap(asset => asset.reasons)];
  return [reason === undefined ? trans.__('%1 would deny, and gives no reason.', name) : trans.__('%1 would deny: %2.', name, visibleLine(reason, 160))];
}

/** Owners whose approval the job would wait for. */
export function approversOf(draft: DraftView): string[] {
  return draft.decisions.filter(decision => decision.decision === 'wait').map(decision => visibleLine(decision.owner, 60));
}

/** What one owner says to one asset of the draft. */
export type AssetAnswer = DraftView['decisions'][number]['assets'][number];
