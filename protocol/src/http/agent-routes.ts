import * as z from 'zod/mini';
import { JobEvent, JobView } from '../objects/job.js';
import { Rule } from '../objects/policy.js';
import { AgeRecipient, Count, Digest, ServiceUrl, Thumbprint, Time } from '../objects/primitives.js';
import { DenialReason } from '../objects/release.js';
import { AppraisalPolicy, Trust } from '../objects/trust.js';
import { defineRoute } from './route.js';
import { Health } from './server-routes.js';

/**
 * Version of this table and of the messages below. A page that was built with another one says so to its user, since
 * either may take what the other does not send.
 */
export const AGENT_API = 1;

/** Where the agent takes a WebSocket with its events. It has no route: the table is of requests and replies. */
export const AGENT_EVENTS_PATH = '/v1/events';

/**
 * The page's first and only message on that socket. `resumeAfter` is the `seq` of the last event that it saw; without it
 * events begin now. Greater numbers than a server's event id can have are refused.
 */
export const AgentSubscription = z.strictObject({ resumeAfter: z.optional(Count.check(z.lte(999_999_999_999_999))) });
export type AgentSubscription = z.infer<typeof AgentSubscription>;

/**
 * What the agent says on that socket. `hello` comes at once. `trouble`: what is behind the agent cannot be reached; the
 * socket stays, the agent goes on trying and does not repeat itself. `recovered`: events flow, for the first time or
 * again; what was listed before may be out of date, so it is to be read anew. Events come in order and none comes twice.
 */
export const AgentMessage = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('hello'), api: Count }),
  z.strictObject({ kind: z.literal('event'), event: JobEvent }),
  z.strictObject({ kind: z.literal('trouble'), code: z.string(), detail: z.string(), hint: z.string() }),
  z.strictObject({ kind: z.literal('recovered') })
]);
export type AgentMessage = z.infer<typeof AgentMessage>;

const none = { kind: 'none' } as const;
const json = <S extends z.ZodMiniType>(schema: S) => ({ kind: 'json', schema, maxBytes: 256 * 1024 }) as const;
const reply = <S extends z.ZodMiniType>(schema: S) => ({ kind: 'json', status: 200, schema }) as const;
const JobParams = z.strictObject({ job: Digest });
/** Path of a file, relative to the agent's workspace. Travels in bodies only: proxies decode %2F in addresses. */
const LocalPath = z.string().check(z.minLength(1), z.maxLength(4096));

/** One named question of a report, as attestation/check.ts answers it. */
export const CheckView = z.strictObject({
  id: z.string(),
  title: z.string(),
  status: z.enum(['pass', 'fail', 'skipped', 'unknown']),
  expected: z.optional(z.json()),
  actual: z.optional(z.json()),
  hint: z.optional(z.string())
});

const VerdictName = z.enum(['verified', 'simulated', 'failed', 'inconclusive']);

/** An asset as the agent shows it, its descriptor verified. `size` in bytes, of the sealed file. */
export const AssetView = z.strictObject({
  name: z.string(),
  owner: z.string(),
  ownerThumbprint: Thumbprint,
  asset: Digest,
  version: Count,
  kind: z.string(),
  mediaType: z.string(),
  size: Count,
  hasMock: z.boolean(),
  broker: ServiceUrl
});

/** What would be sent, and what every owner's policy says to it. */
export const DraftView = z.strictObject({
  /** The job that submitting this draft makes. */
  job: Digest,
  code: Digest,
  /** As the request named it, relative to the workspace. */
  notebook: z.string(),
  purpose: z.string(),
  timeoutSeconds: Count,
  entry: z.string(),
  files: z.array(z.strictObject({ path: z.string(), size: Count, digest: Digest, why: z.string(), large: z.boolean() })),
  leftOut: z.array(z.strictObject({ path: z.string(), why: z.string() })),
  secrets: z.array(z.strictObject({ path: z.string(), kind: z.string(), where: z.optional(z.string()) })),
  sealedSize: Count,
  assets: z.array(AssetView),
  custodians: z.array(z.strictObject({ owner: z.string(), broker: Thumbprint, url: ServiceUrl })),
  decisions: z.array(
    z.strictObject({
      owner: z.string(),
      broker: z.string(),
      url: z.string(),
      /** `unreachable`: the broker gave no answer; the reasons say why. Such a draft cannot be sent yet. */
      decision: z.enum(['allow', 'deny', 'wait', 'unreachable']),
      reasons: z.array(z.string()),
      assets: z.array(
        z.strictObject({
          name: z.string(),
          decision: z.enum(['allow', 'deny', 'wait']),
          rule: z.optional(Rule),
          version: z.optional(Count),
          denials: z.array(DenialReason),
          reasons: z.array(z.string())
        })
      )
    })
  )
});
export type DraftView = z.infer<typeof DraftView>;

/**
 * A job as the server tells it, and what this machine remembers of it: nothing, where another machine sent it. Paths are
 * relative to the workspace; one outside of it is absolute.
 */
const OwnJob = z.strictObject({
  view: JobView,
  notebook: z.optional(z.string()),
  purpose: z.optional(z.string()),
  /** Names of the assets that it reads. */
  inputs: z.optional(z.array(z.string())),
  /** When this machine made it. */
  createdAt: z.optional(Time),
  /** The folder that its results were opened into, while it is there. */
  results: z.optional(z.string()),
  /** The report in that folder. */
  report: z.optional(z.string()),
  /** Why brokers denied, as sentences. Only in the reply about one job. */
  denials: z.array(z.string())
});
export type OwnJob = z.infer<typeof OwnJob>;

const JobSearch = z.strictObject({
  limit: z.optional(z.string().check(z.regex(/^([1-9]|[1-9][0-9]|1[0-9]{2}|200)$/))),
  cursor: z.optional(z.string().check(z.maxLength(512))),
  /** Part of the notebook's path or of the purpose, in any case. Finds jobs that this machine sent. */
  name: z.optional(z.string().check(z.maxLength(200)))
});

/**
 * The agent's face for JupyterLab, on a unix socket behind jupyter-server-proxy. Files travel as paths, which the agent
 * reads and writes itself.
 */
export const AGENT_ROUTES = {
  root: defineRoute({ id: 'root', method: 'GET', path: '/', auth: 'none', summary: 'The proxy’s sign that the agent is up.', body: none, response: reply(Health), errors: [] }),
  agentHealth: defineRoute({ id: 'agentHealth', method: 'GET', path: '/healthz', auth: 'none', summary: 'The process answers.', body: none, response: reply(Health), errors: [] }),
  describeAgent: defineRoute({
    id: 'describeAgent', method: 'GET', path: '/v1/agent', auth: 'local', summary: 'Who the analyst is, and whom she trusts.', body: none,
    response: reply(
      z.strictObject({
        /** AGENT_API of this agent. */
        api: Count,
        version: z.string(),
        /** Absolute path of the folder that paths of requests are relative to. */
        workspace: z.string(),
        analyst: Thumbprint,
        recipient: AgeRecipient,
        server: ServiceUrl,
        owners: z.array(z.strictObject({ name: z.string(), thumbprint: Thumbprint })),
        verifiers: z.array(z.strictObject({ issuer: z.string(), kind: z.string() })),
        images: z.array(z.strictObject({ image: Digest, source: z.string() })),
        hasPolicy: z.boolean()
      })
    ),
    errors: ['trust_missing']
  }),
  getTrust: defineRoute({
    id: 'getTrust', method: 'GET', path: '/v1/trust', auth: 'local', summary: 'The analyst’s trust and what she demands of a runner, so that a page verifies by them. Public keys only.', body: none,
    response: reply(
      z.strictObject({
        trust: Trust,
        /** Absent where she has none: then no verdict is better than inconclusive. */
        policy: z.optional(AppraisalPolicy),
        /** Folder of the two files, for people. */
        where: z.string()
      })
    ),
    errors: ['trust_missing', 'config_invalid']
  }),
  listCatalog: defineRoute({
    id: 'listCatalog', method: 'GET', path: '/v1/assets', auth: 'local', summary: 'Assets of pinned owners, and entries that nobody pinned signed.', body: none,
    response: reply(z.strictObject({ assets: z.array(AssetView), unverified: z.array(z.strictObject({ asset: z.string(), why: z.string() })) })), errors: ['trust_missing', 'unavailable']
  }),
  fetchMocks: defineRoute({
    id: 'fetchMocks', method: 'POST', path: '/v1/mocks', auth: 'local', summary: 'Put mocks into `mocks/` of a folder. A file that differs is replaced only where asked.',
    body: json(z.strictObject({ folder: z.string().check(z.maxLength(4096)), names: z.optional(z.array(z.string()).check(z.maxLength(64))), replace: z.optional(z.boolean()) })),
    response: reply(z.strictObject({ mocks: z.array(z.strictObject({ name: z.string(), state: z.enum(['fetched', 'current', 'differs', 'none']), path: z.optional(z.string()) })) })),
    errors: ['asset_unknown', 'digest_mismatch', 'workspace_unsafe', 'storage_full']
  }),
  createDraft: defineRoute({
    id: 'createDraft', method: 'POST', path: '/v1/drafts', auth: 'local', summary: 'Package, seal and sign a notebook, and ask the brokers. Sends nothing but the manifest. A denial is a reply like any other.',
    body: json(
      z.strictObject({
        notebook: LocalPath,
        assets: z.optional(z.array(z.string()).check(z.maxLength(64))),
        custodians: z.optional(z.array(z.string()).check(z.maxLength(16))),
        timeoutSeconds: z.optional(Count),
        purpose: z.optional(z.string().check(z.maxLength(4096)))
      })
    ),
    response: { kind: 'json', status: 201, schema: DraftView },
    errors: [
      'notebook_missing', 'notebook_not_json', 'notebook_unsupported', 'workspace_unsafe', 'workspace_case_clash', 'bundle_too_large', 'asset_not_literal', 'asset_unknown',
      'no_custodian', 'trust_missing', 'unavailable'
    ]
  }),
  submitDraft: defineRoute({
    id: 'submitDraft', method: 'POST', path: '/v1/jobs', auth: 'local', summary: 'Send a draft that no broker denied. Likely secrets in it must have been accepted.',
    body: json(z.strictObject({ draft: Digest, acceptLikelySecrets: z.boolean() })), response: { kind: 'json', status: 201, schema: JobView },
    errors: ['not_found', 'secret_likely', 'asset_denied', 'unavailable']
  }),
  listOwnJobs: defineRoute({
    id: 'listOwnJobs', method: 'GET', path: '/v1/jobs', auth: 'local',
    query: JobSearch,
    summary: 'The analyst’s jobs, newest first: all, or those that a search finds.', body: none, response: reply(z.strictObject({ jobs: z.array(OwnJob), next: z.optional(z.string()) })), errors: ['invalid_cursor', 'unavailable']
  }),
  getOwnJob: defineRoute({ id: 'getOwnJob', method: 'GET', path: '/v1/jobs/{job}', auth: 'local', params: JobParams, summary: 'One job.', body: none, response: reply(OwnJob), errors: ['not_found'] }),
  cancelOwnJob: defineRoute({
    id: 'cancelOwnJob', method: 'POST', path: '/v1/jobs/{job}/cancellation', auth: 'local', params: JobParams, summary: 'Cancel a job.', body: json(z.strictObject({})), response: reply(JobView),
    errors: ['not_found', 'job_finished']
  }),
  deleteOwnJob: defineRoute({
    id: 'deleteOwnJob', method: 'POST', path: '/v1/jobs/{job}/deletion', auth: 'local', params: JobParams,
    // POST with a body: the proxy fails on DELETE with one, and a mutation must have a JSON body.
    summary: 'Delete a job that has ended, at the server and here.', body: json(z.strictObject({})), response: { kind: 'empty', status: 204 }, errors: ['not_found', 'job_not_finished']
  }),
  retryOwnJob: defineRoute({
    id: 'retryOwnJob', method: 'POST', path: '/v1/jobs/{job}/retry', auth: 'local', params: JobParams, summary: 'The kept bundle as a new job.', body: json(z.strictObject({})),
    response: { kind: 'json', status: 201, schema: JobView }, errors: ['not_found', 'asset_denied', 'asset_unknown']
  }),
  openResults: defineRoute({
    id: 'openResults', method: 'POST', path: '/v1/jobs/{job}/results', auth: 'local', params: JobParams, summary: 'Verify the report, then unseal into a folder that must not exist.',
    body: json(z.strictObject({ into: z.optional(LocalPath) })),
    response: reply(
      z.strictObject({
        verdict: VerdictName,
        checks: z.array(CheckView),
        outcome: z.enum(['succeeded', 'failed']),
        code: z.optional(z.string()),
        folder: z.string(),
        report: z.string(),
        files: z.array(z.strictObject({ path: z.string(), kind: z.enum(['notebook', 'file', 'traceback']), mediaType: z.string(), size: Count }))
      })
    ),
    errors: ['job_not_finished', 'not_found', 'output_not_verified', 'report_rejected', 'file_exists', 'storage_full', 'trust_missing']
  }),
  verifyLocalReport: defineRoute({
    id: 'verifyLocalReport', method: 'POST', path: '/v1/verifications', auth: 'local', summary: 'Verify a report on disk by the analyst’s own trust, without any network.',
    body: json(z.strictObject({ report: LocalPath, outputs: z.optional(LocalPath) })), response: reply(z.strictObject({ verdict: VerdictName, checks: z.array(CheckView) })), errors: ['usage', 'trust_missing']
  })
} as const;
