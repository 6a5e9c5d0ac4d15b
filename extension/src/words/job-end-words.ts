import type { TranslationBundle } from '@jupyterlab/translation';
import { ERRORS, isErrorCode, visibleLine, type ErrorCode } from '@cloister/protocol';
import type { EndWords, IJobEnd, Turn } from './job-end';
import { brokenEnds, machineEnds } from './job-ends-operator';
import { ownerEnds } from './job-ends-owner';
import { notebookEnds, submissionEnds } from './job-ends-own';

/** The reason that a code tells. A code is the operator's word until the report that carries it is verified. */
export function endInWords(code: string, trans: TranslationBundle): IJobEnd {
  if (!isErrorCode(code)) {
    return {
      turn: 'you',
      happened: trans.__('The operator gives a reason that this version of Cloister does not know: %1.', visibleLine(code, 64)),
      next: trans.__('Update Cloister; if the reason stays unknown, ask the operator what it means.')
    };
  }
  return (
    among('you', code, notebookEnds(trans)) ??
    among('you', code, submissionEnds(trans)) ??
    among('owner', code, ownerEnds(trans)) ??
    among('operator', code, machineEnds(trans)) ??
    among('operator', code, brokenEnds(trans)) ?? {
      turn: 'operator',
      happened: ERRORS[code].title,
      next: trans.__('No job should end for this reason. Give its id and the code %1 to the operator.', code)
    }
  );
}

/** `Your turn: …`, said by whoever shows the next step. */
export function turnInWords(turn: Turn, trans: TranslationBundle): string {
  switch (turn) {
    case 'you':
      return trans.__('Your turn:');
    case 'owner':
      return trans.__('The owner’s turn:');
    case 'operator':
      return trans.__('The operator’s turn:');
  }
}

function among(turn: Turn, code: ErrorCode, words: EndWords): IJobEnd | undefined {
  const found = words[code];
  return found === undefined ? undefined : { turn, ...found };
}
