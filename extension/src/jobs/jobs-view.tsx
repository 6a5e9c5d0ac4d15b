import { useCallback, useEffect, useState, type JSX } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import { visibleLine, type Digest } from '@cloister/protocol';
import { AgentTrouble } from '../components/parts/agent-trouble';
import { Message } from '../components/parts/message';
import { hasEnded } from '../model/jobs-rows';
import type { IJobPage, IOwnJob } from '../model/own-job';
import type { IAgent, IJobs } from '../tokens';
import { Announcements } from './announcements';
import { EmptyList } from './empty-list';
import { JobContext, type IJobContext } from './job-context';
import { JobRow } from './job-row';
import { Pager } from './pager';
import { SearchField } from './search-field';
import { useNow, useSignalled } from './use-signalled';

/** A wish to see one job. Counted, so that the same job can be wished for twice. */
export interface IWish {
  readonly job: Digest;
  readonly count: number;
}

export interface IJobsViewProps {
  readonly agent: IAgent;
  readonly jobs: IJobs;
  readonly context: IJobContext;
  /** Whether anybody sees the panel: a hidden one does not count seconds. */
  readonly visible: boolean;
  readonly wish?: IWish;
}

/** The sidebar: search, one page of jobs, and the way to the others. */
export function JobsView({ agent, jobs, context, visible, wish }: IJobsViewProps): JSX.Element {
  const { trans } = context;
  const page = useSignalled(jobs.changed, () => jobs.page);
  return (
    <JobContext.Provider value={context}>
      <AgentTrouble agent={agent} trans={trans} />
      {(page.jobs.length > 0 || page.search !== '') && <SearchField value={page.search} onSearch={name => void jobs.search(name)} trans={trans} />}
      <Announcements jobs={jobs} trans={trans} />
      <ListState page={page} agent={agent} jobs={jobs} trans={trans} />
      <JobList jobs={jobs} page={page} visible={visible} trans={trans} {...(wish === undefined ? {} : { wish })} />
      <Pager page={page} jobs={jobs} trans={trans} />
      {page.jobs.length > 0 && <p className="jp-Cloister-jobs-note">{trans.__('You can close this tab; jobs go on.')}</p>}
    </JobContext.Provider>
  );
}

interface IListStateProps {
  readonly page: IJobPage;
  readonly agent: IAgent;
  readonly jobs: IJobs;
  readonly trans: TranslationBundle;
}

/** What is to be said of the list as a whole. Rows that are there stay while it is read anew. */
function ListState({ page, agent, jobs, trans }: IListStateProps): JSX.Element | null {
  const state = useSignalled(agent.stateChanged, () => agent.state);
  if (page.status === 'failed') {
    const again = (
      <button type="button" className="jp-Cloister-button" onClick={() => void jobs.refresh()}>
        {trans.__('Try again')}
      </button>
    );
    return <Message tone="caution" title={trans.__('The list of jobs could not be read.')} actions={again} />;
  }
  if (page.jobs.length > 0) return null;
  if (page.status === 'loaded') return <EmptyList search={page.search} onShowAll={() => void jobs.search('')} trans={trans} />;
  // What keeps it from being read is said above.
  return state === 'connecting' || state === 'ready' ? <p role="status">{trans.__('Reading your jobs…')}</p> : null;
}

interface IJobListProps {
  readonly jobs: IJobs;
  readonly page: IJobPage;
  readonly visible: boolean;
  readonly wish?: IWish;
  readonly trans: TranslationBundle;
}

function JobList({ jobs, page, visible, wish, trans }: IJobListProps): JSX.Element | null {
  const [expanded, setExpanded] = useState<ReadonlySet<Digest>>(new Set());
  const toggle = useCallback((job: Digest) => {
    setExpanded(before => {
      const after = new Set(before);
      if (!after.delete(job)) after.add(job);
      // A list tells less than a reply about one job: what brokers denied, for one.
      if (after.has(job)) void jobs.fetch(job).catch(() => undefined);
      return after;
    });
  }, [jobs]);
  useEffect(() => {
    if (wish !== undefined) setExpanded(before => new Set([...before, wish.job]));
  }, [wish]);
  const onPage = wish !== undefined && page.jobs.some(({ view }) => view.job === wish.job);
  // A job on another page is shown on top of this one: pages do not jump.
  const guest = wish === undefined || onPage ? undefined : jobs.find(wish.job);
  const rows = guest === undefined ? page.jobs : [guest, ...page.jobs];
  const now = useNow(visible && rows.some(own => !hasEnded(own)));
  const wished = (own: IOwnJob): number => (wish?.job === own.view.job ? wish.count : 0);
  if (rows.length === 0) return null;
  return (
    <ul className="jp-Cloister-jobs-list" aria-label={page.search === '' ? trans.__('Jobs') : trans.__('Jobs found for “%1”', visibleLine(page.search, 60))} aria-busy={page.status === 'loading'}>
      {rows.map(own => (
        <JobRow key={own.view.job} own={own} expanded={expanded.has(own.view.job)} now={hasEnded(own) ? undefined : now} wished={wished(own)} onToggle={toggle} />
      ))}
    </ul>
  );
}
