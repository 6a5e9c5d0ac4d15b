import type { TranslationBundle } from '@jupyterlab/translation';
import { visibleLine } from '@cloister/protocol';
import type { IProblem } from '../model/problem';

/** A problem for this panel: hints of the command line become those of the panel, and a stranger's text is made visible. */
export function visibleProblem(problem: IProblem, trans: TranslationBundle): IProblem {
  const { detail } = problem;
  return { ...problem, hint: hintHere(problem, trans), ...(detail === undefined ? {} : { detail: visibleLine(detail, 600) }) };
}

function hintHere({ code, hint }: IProblem, trans: TranslationBundle): string {
  switch (code) {
    case 'asset_not_literal':
      return trans.__('Write the name as text in the notebook, or list the data here.');
    case 'asset_unknown':
      return trans.__('Check the spelling. You can read data only of owners whom you trust on this machine.');
    case 'no_custodian':
      return trans.__('Read a data set in the notebook, or choose here who keeps the key of your code.');
    case 'secret_likely':
      return trans.__('Take it out, or list the file in .cloisterignore; then press Refresh.');
    default:
      return visibleLine(hint, 600);
  }
}
