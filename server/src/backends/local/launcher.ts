import { once } from 'node:events';
import { chmod, mkdir } from 'node:fs/promises';
import type { Server } from 'node:http';
import { AppError } from '@cloister/protocol';
import type { AttestedInstance } from './claims.js';
import { clearInstance } from './clearing.js';
import { InstanceDirectory, isClaimable, type LaunchFile, type StatusFile } from './instance-store.js';
import { readSimulatorKeys } from './keys.js';
import { createLauncherApi } from './launcher-api.js';
import { measureImage, readImage, type Image } from './measure.js';
import { identify } from './processes.js';
import { createTokenService } from './token-service.js';
import { containerEnv, Workload, workloadPaths } from './workload.js';

/** One line of the launcher's log. Never environment, tokens or nonces, nor text of an error: it can name the workload's files. */
export type LauncherLog = (event: string, fields?: Readonly<Record<string, string | number>>) => void;

type End = Omit<StatusFile, 'v' | 'status'>;

/**
 * Plays the Confidential Space launcher for one instance, from claim to last status. It needs no daemon: it measures,
 * serves the TEE socket, runs the image's entrypoint, bounds its time and cleans up after it.
 * @param stop aborted when the instance is to end early
 */
export async function runLauncher(path: string, stop: AbortSignal, log: LauncherLog): Promise<void> {
  const directory = new InstanceDirectory(path);
  const launch = await directory.readLaunch();
  if (launch === undefined || !isClaimable(launch, new Date())) return;
  const self = await identify(process.pid);
  if (self === undefined) throw new AppError('launch_failed', 'the launcher cannot see itself under /proc');
  // Of several launchers that were started for one instance, one goes on.
  if (!(await directory.claim(self))) return;
  await directory.writeStatus({ v: 1, status: 'starting' });
  const end = await runInstance(directory, launch, stop, log).catch((error: unknown): End => {
    log('failed', { code: errorCode(error) });
    return { reason: 'launch_failed' };
  });
  await clearInstance({ directory, launcher: self, runDir: launch.runDir });
  await directory.writeStatus({ v: 1, status: 'terminated', ...end });
  log('ended', { reason: end.reason ?? '' });
}

async function runInstance(directory: InstanceDirectory, launch: LaunchFile, stop: AbortSignal, log: LauncherLog): Promise<End> {
  const image = await readImage(launch.imageDir);
  const imageDigest = await measureImage(launch.imageDir);
  log('measured', { imageDigest });
  const paths = workloadPaths(launch.runDir);
  for (const made of [launch.runDir, paths.temporary, directory.scratch]) await mkdir(made, { mode: 0o700 });
  const api = await serve(launch, attestedInstance(launch, image, imageDigest), paths.socket);
  try {
    const workload = await Workload.start(directory, launch, image.labels, paths);
    try {
      await directory.writeStatus({ v: 1, status: 'running', imageDigest });
      log('running');
      return { imageDigest, ...(await bound(workload, launch, stop)) };
    } finally {
      // Also where a status could not be written: no workload without a launcher.
      await workload.stop(launch.killGraceMs);
      workload.reapGroup();
    }
  } finally {
    api.closeAllConnections();
    api.close();
  }
}

/** Waits for the end of the workload, of its time, or of the wish to run it. */
async function bound(workload: Workload, launch: LaunchFile, stop: AbortSignal): Promise<End> {
  const limit = AbortSignal.timeout(Math.max(0, Date.parse(launch.createdAt) + launch.request.maxRunSeconds * 1000 - Date.now()));
  const early = AbortSignal.any([stop, limit]);
  const aborted = early.aborted ? Promise.resolve() : once(early, 'abort');
  const exitCode = await Promise.race([workload.wait(), aborted.then(() => undefined)]);
  if (exitCode !== undefined) return { exitCode, reason: 'exited' };
  return { exitCode: await workload.stop(launch.killGraceMs), reason: stop.aborted ? 'stopped' : 'max_run_seconds' };
}

async function serve(launch: LaunchFile, instance: AttestedInstance, socket: string): Promise<Server> {
  const service = createTokenService(await readSimulatorKeys(launch.keysDir), () => new Date());
  const api = createLauncherApi({ gca: options => service.issue(instance, options) });
  api.listen(socket);
  await once(api, 'listening');
  // As on the real one: in there every user may ask. Outside, the directory keeps everybody else away.
  await chmod(socket, 0o777);
  return api;
}

function attestedInstance(launch: LaunchFile, image: Image, imageDigest: AttestedInstance['imageDigest']): AttestedInstance {
  return {
    name: launch.request.name,
    imageDigest,
    imageId: image.id,
    args: image.labels.entrypoint,
    env: containerEnv(launch),
    envOverride: launch.request.env
  };
}

/** For logs: our code, or the system's. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return 'internal';
  const { code } = error;
  return typeof code === 'string' && /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(code) ? code : 'internal';
}
