import { AppError, Attempt, Digest, ServiceUrl } from '@cloister/protocol';
import * as z from 'zod/mini';

/** Longest path of a unix socket that Linux takes, without its NUL. */
const MAX_SOCKET_PATH = 107;
const AbsolutePath = z.string().check(z.regex(/^\/[^\0]*$/), z.maxLength(4096));
const SocketPath = AbsolutePath.check(z.maxLength(MAX_SOCKET_PATH));

/**
 * What the launch request and the container tell the runner. All of it is the operator's word: it decides whom the
 * runner talks to, never what it believes.
 */
const RunnerConfig = z.strictObject({
  server: ServiceUrl,
  job: Digest,
  attempt: Attempt,
  /** Unix socket that serves `http://*.cloister.localhost`. Without it only https is spoken. */
  gateway: z.optional(SocketPath),
  /** Interpreter that has nbclient and ipykernel. */
  python: AbsolutePath,
  teeSocket: SocketPath,
  /** Folder for the attempt's plaintext; its own subfolder is made and removed. */
  scratch: AbsolutePath,
  /** Home folder of the runner, which may hold keys of who started it. */
  home: z.optional(AbsolutePath)
});

export interface RunnerConfig extends Readonly<z.infer<typeof RunnerConfig>> {
  /**
   * Beside a scratch folder that was named: who names one may kill the runner and live, and must know what to end. In a
   * container, which has the default, every process ends with the runner.
   */
  readonly sandboxList?: string;
}

const VARIABLES = {
  CLOISTER_SERVER: 'server',
  CLOISTER_JOB: 'job',
  CLOISTER_ATTEMPT: 'attempt',
  CLOISTER_GATEWAY: 'gateway',
  CLOISTER_PYTHON: 'python',
  CLOISTER_TEE_SOCKET: 'teeSocket',
  CLOISTER_SCRATCH: 'scratch',
  HOME: 'home'
} as const satisfies Readonly<Record<string, keyof RunnerConfig>>;

/** `/dev/shm` is memory, which the TEE encrypts. */
const DEFAULTS = { python: '/usr/bin/python3', teeSocket: '/run/container_launcher/teeserver.sock', scratch: '/dev/shm' } as const;

/** @throws AppError config_invalid, naming the variable and never its value */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): RunnerConfig {
  const unknown = Object.keys(env).find(name => name.startsWith('CLOISTER_') && !(name in VARIABLES));
  if (unknown !== undefined) throw new AppError('config_invalid', `${unknown} is not a setting of the runner`);
  const given = Object.entries(VARIABLES).flatMap(([name, key]) => {
    const value = env[name];
    return value === undefined || value === '' ? [] : [[key, key === 'attempt' ? numberOf(value) : value] as const];
  });
  const parsed = RunnerConfig.safeParse({ ...DEFAULTS, ...Object.fromEntries(given) });
  if (parsed.success) {
    const named = given.some(([key]) => key === 'scratch');
    return Object.freeze({ ...parsed.data, ...(named ? { sandboxList: `${parsed.data.scratch}.sandboxes` } : {}) });
  }
  const key = parsed.error.issues[0]?.path[0];
  const name = Object.entries(VARIABLES).find(([, setting]) => setting === key)?.[0] ?? 'the environment';
  throw new AppError('config_invalid', `${name} is missing or not valid`, { cause: parsed.error });
}

function numberOf(text: string): number {
  return /^[1-9][0-9]{0,2}$/.test(text) ? Number(text) : Number.NaN;
}
