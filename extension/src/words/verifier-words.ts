import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignerView } from '../report/report-view';

/** Who a verifier is, by what the reader pinned it as; undefined where she pinned none of that name. */
export function verifierWords(kind: ISignerView['kind'], trans: TranslationBundle): string {
  switch (kind) {
    case 'google':
      return trans.__('Google Cloud Attestation');
    case 'intel':
      return trans.__('Intel Trust Authority');
    case 'simulator':
      return trans.__('A simulator, which proves nothing about hardware');
    case undefined:
      return trans.__('Nobody whom you trust');
  }
}
