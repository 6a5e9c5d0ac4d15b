import { nullTranslator } from '@jupyterlab/translation';
import { expect, test } from 'vitest';
import { EndTeller, type INotice, type NotifyChoice } from './tell-ends';
import { digest, ownJob } from './testing/fake-agent';

const trans = nullTranslator.load('cloister');

function rig(choice: NotifyChoice = 'all', watching = false): { readonly teller: EndTeller; readonly notices: INotice[] } {
  const notices: INotice[] = [];
  return { notices, teller: new EndTeller({ trans, choice: () => choice, watching: () => watching, notify: notice => notices.push(notice) }) };
}

const SUCCEEDED = ownJob(1, { state: 'succeeded', version: 5 });
const FAILED = ownJob(2, { state: 'failed', code: 'cell_failed', version: 5 });

test('an end is told once, however often it is heard of', () => {
  const { teller, notices } = rig();
  teller.tell(ownJob(1));
  teller.tell(SUCCEEDED);
  teller.tell(SUCCEEDED);
  expect(notices).toEqual([{ job: digest(1), tone: 'info', message: 'study-1.ipynb has finished. Its outputs wait to be verified and opened.' }]);
});

test('a failure is a warning with its reason', () => {
  const { teller, notices } = rig();
  teller.tell(FAILED);
  expect(notices).toEqual([{ job: digest(2), tone: 'warning', message: 'study-2.ipynb has failed. A cell raised an error.' }]);
});

test.each<[NotifyChoice, number]>([['all', 2], ['failures', 1], ['none', 0]])('by choice %s tells of %i', (choice, count) => {
  const { teller, notices } = rig(choice);
  for (const own of [SUCCEEDED, FAILED, ownJob(3, { state: 'cancelled', code: 'cancelled' })]) teller.tell(own);
  expect(notices).toHaveLength(count);
});

test('whoever watches the jobs is not told, neither now nor later', () => {
  let watching = true;
  const notices: INotice[] = [];
  const teller = new EndTeller({ trans, choice: () => 'all', watching: () => watching, notify: notice => notices.push(notice) });
  teller.tell(SUCCEEDED);
  watching = false;
  teller.tell(SUCCEEDED);
  expect(notices).toEqual([]);
});

test('hostile names and unknown reasons stay short text', () => {
  const { teller, notices } = rig();
  teller.tell(ownJob(4, { state: 'failed', code: 'a_reason_of_tomorrow' }, { notebook: `<img>\u202e${'x'.repeat(5000)}.ipynb` }));
  expect(notices[0]?.message).toMatch(/^<img>U\+202Ex+… has failed\. The operator gives a reason/);
  expect(notices[0]?.message.length).toBeLessThanOrEqual(140);
});
