import { OutputIndex, appraisalOfRule, digestOf, openBytes, parseJcs, verifyReport, type Digest, type ReportResult } from '@cloister/protocol';
import type { Rig } from './rig.js';

/** What the analyst finds: the index, and every output by its path. */
export interface OpenedResults {
  readonly index: OutputIndex;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly text: (path: string) => string;
  /** The report as she would check it, against sealed and opened files alike. */
  readonly verified: ReportResult;
}

/** Opens everything that a runner published, with the analyst's identity alone. */
export async function openResults({ world, server, trust }: Rig): Promise<OpenedResults> {
  const { identity } = world.analystIdentity;
  if (server.index === undefined) throw new Error('no index was published');
  const indexBytes = await openBytes(server.index, identity);
  const index = OutputIndex.parse(parseJcs(indexBytes));
  const files = new Map<string, Uint8Array>();
  for (const { subject, path } of index.outputs) {
    const sealed = server.outputs.get(subject);
    if (sealed === undefined) throw new Error(`${subject} was not published`);
    files.set(path, await openBytes(sealed, identity));
  }
  const [rule] = world.owners[0]?.policy.payload.allow ?? [];
  if (rule === undefined) throw new Error('the test world has no rule');
  const sealed = new Map<string, Digest>([...server.outputs, ['index', server.index] as const].map(([name, bytes]) => [name, digestOf(bytes)]));
  const opened = { index: indexBytes, files: new Map([...files].map(([path, bytes]) => [path, digestOf(bytes)])) };
  const verified = await verifyReport(server.report, {
    trust,
    policy: appraisalOfRule(rule),
    now: new Date(),
    outputs: { sealed, opened },
    expect: { job: world.manifest.digest, attempt: 1 }
  });
  return { index, files, text: path => Buffer.from(files.get(path) ?? new Uint8Array()).toString(), verified };
}

export function failedChecks({ checks }: ReportResult): string[] {
  return checks.filter(({ status }) => status !== 'pass').map(({ id, status }) => `${id}:${status}`);
}
