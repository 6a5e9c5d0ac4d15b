import {
  AppError,
  SERVER_ROUTES,
  Progress,
  Report,
  digestOf,
  digestOfJson,
  parseSession,
  verifyProof,
  type Digest
} from '@cloister/protocol';
import type { TestWorld } from '@cloister/protocol/testing';
import * as z from 'zod/mini';
import type { Binding, RouteCall } from './route-server.js';

/** What the operator's server was told and given. Everything that a runner sent in the clear is here. */
export interface ServerRecord {
  admitted: string | undefined;
  readonly progress: Progress[];
  readonly outputs: Map<string, Uint8Array>;
  index: Uint8Array | undefined;
  report: Report | undefined;
  published: Digest | undefined;
  readonly failures: { readonly code: string; readonly denials: readonly string[] }[];
  /** All bodies, as an operator could keep them. */
  readonly seen: Uint8Array[];
  /** Order of what mattered. */
  readonly order: string[];
}

/** How this operator misbehaves. */
export interface ServerLies {
  readonly attempt?: (honest: { manifest: string; descriptors: string[] }) => { manifest: string; descriptors: string[] };
  readonly file?: (digest: string, honest: Uint8Array | undefined) => Uint8Array | undefined;
  readonly cancelled?: () => boolean;
  readonly progress?: () => void;
  readonly put?: (name: string) => void;
}

const FailBody = z.object({ code: z.string(), denials: z.optional(z.array(z.string())) });
const SessionBody = z.object({ session: z.string() });

export function createFakeServer(world: TestWorld, lies: ServerLies = {}): { readonly bindings: readonly Binding[]; readonly record: ServerRecord } {
  const record: ServerRecord = {
    admitted: undefined, progress: [], outputs: new Map(), index: undefined, report: undefined, published: undefined, failures: [], seen: [], order: []
  };
  const files = new Map<string, Uint8Array>([
    [world.manifest.payload.code.bundle, world.sealedBundle],
    ...world.owners.map(owner => [owner.descriptor.payload.digest, owner.sealed] as const)
  ]);
  const honest = { manifest: world.manifest.jws, descriptors: world.owners.map(owner => owner.descriptor.jws) };
  const serveFile = async ({ params }: RouteCall): Promise<Uint8Array> => {
    const digest = params['digest'] ?? '';
    const file = lies.file === undefined ? files.get(digest) : lies.file(digest, files.get(digest));
    if (file === undefined) throw new AppError('not_found', 'no such file');
    return file;
  };
  const open: Binding[] = [
    { route: SERVER_ROUTES.getAttempt, handle: async () => lies.attempt?.(honest) ?? honest },
    { route: SERVER_ROUTES.getBundle, handle: serveFile },
    { route: SERVER_ROUTES.getAssetFile, handle: serveFile }
  ];
  const proven = [...admissionOf(record, lies), ...publicationOf(record, lies)].map(binding => ({ ...binding, handle: proofChecked(binding, record) }));
  return { bindings: [...open, ...proven], record };
}

/** As the real one: an attempt's words count only under the key that it was admitted with. */
function proofChecked({ route, handle }: Binding, record: ServerRecord): Binding['handle'] {
  return async call => {
    record.seen.push(call.bytes);
    const bodyDigest = digestOf(call.bytes);
    if (call.proof === undefined) throw new AppError('proof_missing', 'no proof');
    const proof = await verifyProof(call.proof, { htm: call.method, htu: call.url, now: new Date(), bodyDigest });
    const first = route.id === 'admitRunner' || route.id === 'failAttempt';
    if (!first && proof.signer !== record.admitted) throw new AppError('not_admitted', 'not the admitted key');
    if (route.id === 'admitRunner' && parseSession(SessionBody.parse(call.body).session).key !== proof.signer) {
      throw new AppError('session_mismatch', 'the session is for another key');
    }
    return handle(call);
  };
}

function admissionOf(record: ServerRecord, lies: ServerLies): Binding[] {
  return [
    {
      route: SERVER_ROUTES.admitRunner,
      handle: async ({ body }) => {
        record.admitted = parseSession(SessionBody.parse(body).session).key;
        record.order.push('admitted');
        return undefined;
      }
    },
    {
      route: SERVER_ROUTES.postProgress,
      handle: async ({ body }) => {
        lies.progress?.();
        record.progress.push(Progress.parse(body));
        return { cancelled: lies.cancelled?.() ?? false };
      }
    },
    {
      route: SERVER_ROUTES.failAttempt,
      handle: async ({ body }) => {
        const { code, denials = [] } = FailBody.parse(body);
        record.failures.push({ code, denials });
        record.order.push('failed');
        return undefined;
      }
    }
  ];
}

function publicationOf(record: ServerRecord, lies: ServerLies): Binding[] {
  return [
    {
      route: SERVER_ROUTES.putOutput,
      handle: async ({ params, bytes }) => {
        const name = `output/${params['output'] ?? ''}`;
        if (record.outputs.has(name)) throw new AppError('already_exists', 'created once');
        record.outputs.set(name, bytes);
        record.order.push(name);
        lies.put?.(name);
        return undefined;
      }
    },
    {
      route: SERVER_ROUTES.putIndex,
      handle: async ({ bytes }) => {
        record.index = bytes;
        record.order.push('index');
        return undefined;
      }
    },
    {
      route: SERVER_ROUTES.putReport,
      handle: async ({ body }) => {
        record.report = Report.parse(body);
        record.order.push('report');
        return { report: digestOfJson(body) };
      }
    },
    {
      route: SERVER_ROUTES.publishAttempt,
      handle: async ({ body, params }) => {
        record.published = z.object({ report: z.string() }).parse(body).report === digestOfJson(record.report) ? digestOfJson(record.report) : undefined;
        record.order.push('published');
        const time = new Date().toISOString();
        return { job: params['job'], id: '01900000-0000-7000-8000-000000000000', state: 'succeeded', attempt: 1, version: 1, createdAt: time, updatedAt: time };
      }
    }
  ];
}
