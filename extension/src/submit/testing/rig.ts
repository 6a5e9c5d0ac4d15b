import { nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { AGENT_ROUTES, Rule, Thumbprint, type Digest, type DraftView } from '@cloister/protocol';
import { digest, FakeAgent, ownJob } from '../../jobs/testing/fake-agent';
import type { IKeptPanel, IKeptPanels } from '../kept-panels';
import type { INotebookChange, IOpenNotebooks } from '../open-notebooks';
import { SubmitModel } from '../submit-model';
import { isRecord } from '../submit-values';

export const trans: TranslationBundle = nullTranslator.load('cloister');

/** Notebooks that are open, as a test says. */
export class FakeNotebooks implements IOpenNotebooks {
  readonly changed = new Signal<this, INotebookChange>(this);
  readonly dirty = new Set<string>();
  saves = true;

  isDirty(path: string): boolean {
    return this.dirty.has(path);
  }

  async save(path: string): Promise<boolean> {
    if (this.saves) {
      this.dirty.delete(path);
      this.changed.emit({ path, change: 'saved' });
    }
    return Promise.resolve(this.saves);
  }
}

/** Panels that are kept in memory. */
export class FakeKeptPanels implements IKeptPanels {
  readonly all = new Map<string, IKeptPanel>();

  async read(path: string): Promise<IKeptPanel> {
    return Promise.resolve(this.all.get(path) ?? {});
  }

  write(path: string, panel: IKeptPanel): void {
    this.all.set(path, panel);
  }

  forget(path: string): void {
    this.all.delete(path);
  }
}

/** A rule that allows a listed analyst in one image. */
export function ruleOf(changes: Partial<Rule> = {}): Rule {
  return Rule.parse({
    id: 'research', verifiers: ['https://confidentialcomputing.googleapis.com'], images: [digest(7)], envOverrides: [], hardware: ['GCP_INTEL_TDX'], debug: false, attributes: 'any',
    projects: 'any', analysts: [thumbprint('A')], code: 'any', environments: ['image'], parameters: 'any', inputs: 'any', condition: 'true', outputs: 'release', reviewers: [],
    maxOutputBytes: 10 * 1024 * 1024, isolation: 'sandbox', uses: 20, attempts: 2, expires: '2030-01-01T00:00:00.000Z', ...changes
  });
}

/** The thumbprint that repeats one letter. */
export function thumbprint(letter: string): Thumbprint {
  return Thumbprint.parse(`${letter.repeat(42)}A`);
}

type Word = DraftView['decisions'][number]['assets'][number];

/** The answer of `hospital`’s broker about `hospital/visits`, in a draft that says nothing else. */
export function draftOf(answer: Partial<Word> = {}, changes: Partial<DraftView> = {}): DraftView {
  const asset: Word = { name: 'hospital/visits', decision: 'allow', rule: ruleOf(), version: 3, denials: [], reasons: [], ...answer };
  const url = 'http://hospital.example';
  return {
    job: digest(1), code: digest(100), notebook: 'study/a.ipynb', purpose: '', timeoutSeconds: 3600, entry: 'a.ipynb',
    files: [
      { path: 'a.ipynb', size: 2048, digest: digest(101), why: 'the notebook', large: false },
      { path: 'model.py', size: 3 * 1024 * 1024, digest: digest(102), why: 'imported by a.ipynb', large: true }
    ],
    leftOut: [{ path: 'mocks', why: 'mocks stay here' }], secrets: [], sealedSize: 4096,
    assets: [
      { name: 'hospital/visits', owner: 'hospital', ownerThumbprint: thumbprint('B'), asset: digest(200), version: 3, kind: 'dataset', mediaType: 'text/csv', size: 1_000_000, hasMock: true, broker: url }
    ],
    custodians: [{ owner: 'hospital', broker: thumbprint('C'), url }],
    decisions: [{ owner: 'hospital', broker: thumbprint('C'), url, decision: asset.decision, reasons: [], assets: [asset] }],
    ...changes
  };
}

export interface ISubmitRig {
  readonly agent: FakeAgent;
  readonly notebooks: FakeNotebooks;
  readonly kept: FakeKeptPanels;
  readonly announced: Digest[];
  readonly model: SubmitModel;
  /** The next draft: an error is thrown. */
  next: DraftView | Error;
}

/** A panel for `study/a.ipynb`, over an agent that takes terms into its drafts as the real one does. */
export function submitRig(first: DraftView | Error = draftOf(), kept = new FakeKeptPanels()): ISubmitRig {
  const agent = new FakeAgent();
  const notebooks = new FakeNotebooks();
  const announced: Digest[] = [];
  const model = new SubmitModel('study/a.ipynb', {
    agent, notebooks, kept, trans, jobs: null, defaultMinutes: () => 60, announce: job => announced.push(job)
  });
  const rig: ISubmitRig = { agent, notebooks, kept, announced, model, next: first };
  agent.handlers.set(AGENT_ROUTES.createDraft.id, ({ body }) => {
    if (rig.next instanceof Error) throw rig.next;
    const terms = isRecord(body) ? body : {};
    // Another purpose or time limit makes another manifest, and so another job.
    const job = digest(1000 + agent.count(AGENT_ROUTES.createDraft.id));
    return { ...rig.next, job, purpose: terms['purpose'] ?? '', timeoutSeconds: terms['timeoutSeconds'] ?? 3600 };
  });
  agent.handlers.set(AGENT_ROUTES.submitDraft.id, ({ body }) => {
    const job = AGENT_ROUTES.submitDraft.body.schema.parse(body).draft;
    const view = { ...ownJob(1).view, job, state: 'queued' as const };
    agent.jobs = [{ ...ownJob(1), view }];
    return view;
  });
  return rig;
}
