import { readFileSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { Digest } from '@cloister/protocol';
import * as z from 'zod/mini';
import { processesOf } from './processes.js';

const LaunchFile = z.looseObject({ runDir: z.string(), request: z.looseObject({ name: z.string(), job: z.string(), attempt: z.number() }) });
const ClaimFile = z.looseObject({ launcher: z.nullable(z.looseObject({ pid: z.number() })) });

/** What the local backend keeps of one attempt's machine. */
export interface InstanceFiles {
  readonly name: string;
  readonly path: string;
  readonly job: string;
  readonly attempt: number;
  readonly teeSocket: string;
}

export function instancesOf(home: string, job: Digest): InstanceFiles[] {
  return namesIn(join(home, 'instances')).flatMap(name => {
    const path = join(home, 'instances', name);
    const launch = LaunchFile.safeParse(readJson(join(path, 'launch.json')));
    if (!launch.success || launch.data.request.job !== job) return [];
    const { request: asked, runDir } = launch.data;
    return [{ name, path, job, attempt: asked.attempt, teeSocket: join(runDir, 'tee.sock') }];
  });
}

/** The launcher of an attempt, once it has claimed the instance. */
export function launcherOf(home: string, job: Digest, attempt: number): number | undefined {
  const instance = instancesOf(home, job).find(found => found.attempt === attempt);
  const claim = instance === undefined ? undefined : ClaimFile.safeParse(readJson(join(instance.path, 'claim.json')));
  return claim?.success === true ? claim.data.launcher?.pid : undefined;
}

/** The runner of an attempt, once its process is there. */
export function runnerOf(home: string, job: Digest, attempt: number): number | undefined {
  const instance = instancesOf(home, job).find(found => found.attempt === attempt);
  if (instance === undefined) return undefined;
  return processesOf(instance.path).find(({ pid, command }) => command.endsWith('runner.mjs') && environmentOf(pid).includes(`CLOISTER_ATTEMPT=${attempt}`))?.pid;
}

/** Asks the TEE socket of an instance for a token, as whoever gets at it could: what simulated hardware cannot keep. */
export async function tokenFrom(instance: InstanceFiles, audience: string, nonce: string): Promise<string> {
  const body = JSON.stringify({ audience, token_type: 'OIDC', nonces: [nonce] });
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: instance.teeSocket, path: '/v1/token', method: 'POST', headers: { 'content-type': 'application/json' } }, reply => {
      let text = '';
      reply.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      reply.once('end', () => (reply.statusCode === 200 ? resolve(text) : reject(new Error(`${String(reply.statusCode)}: ${text}`))));
    });
    asked.once('error', reject);
    asked.end(body);
  });
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter(name => !name.startsWith('.'));
  } catch {
    return [];
  }
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined; // not there yet, or no more
  }
}
