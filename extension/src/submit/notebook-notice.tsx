import type { JSX } from 'react';
import { Message } from '../components/parts/message';
import type { ISubmitContext } from './submit-context';
import type { ISubmitState } from './submit-state';

export interface INotebookNoticeProps {
  readonly context: ISubmitContext;
  readonly state: ISubmitState;
}

/** Says where what is shown is not the notebook as it is open, or not what was shown before. */
export function NotebookNotice({ context: { model, trans }, state }: INotebookNoticeProps): JSX.Element {
  return (
    <>
      {state.notice === 'code-changed' && (
        <Message tone="caution" title={trans.__('The notebook or its files changed since you looked: look again.')}>
          <p>{trans.__('Nothing was sent. What you see now is what would be sent; press Submit again if it is right.')}</p>
        </Message>
      )}
      {state.notice === 'answers-changed' && (
        <Message tone="caution" title={trans.__('The data or what its owners say changed since you looked: look again.')}>
          <p>{trans.__('Nothing was sent. Read the part “Data” again, and press Submit again if it is right.')}</p>
        </Message>
      )}
      {state.notebook === 'edited' && (
        <Message
          tone="caution"
          title={trans.__('The notebook has edits that are not saved.')}
          actions={
            <button type="button" className="jp-Cloister-button" onClick={() => void model.saveAndRefresh()}>
              {trans.__('Save and refresh')}
            </button>
          }
        >
          <p>{trans.__('What is sent is the notebook as it is on disk, without these edits.')}</p>
        </Message>
      )}
      {state.notebook === 'saved' && (
        <Message
          tone="info"
          title={trans.__('The notebook was saved after this package was made.')}
          actions={
            <button type="button" className="jp-Cloister-button" onClick={() => void model.refresh()}>
              {trans.__('Package it again')}
            </button>
          }
        />
      )}
    </>
  );
}
