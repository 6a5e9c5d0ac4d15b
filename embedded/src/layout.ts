import { createHash } from 'node:crypto';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** Where everything of one machine lies. One directory, which the user may name, and a short one for sockets. */
export interface Layout {
  readonly lock: string;
  readonly log: string;
  readonly gateway: string;
  readonly server: string;
  readonly instances: string;
  readonly simulator: string;
  readonly sockets: string;
  readonly broker: (name: string) => string;
  /** Outside of the broker's own directory, so that a restored backup of that is noticed. */
  readonly brokerHeads: (name: string) => string;
  readonly heads: string;
}

/** sun_path holds 107 bytes; below the socket directory lie names of up to 40. */
const MAX_SOCKET_DIRECTORY_BYTES = 60;

export function layoutOf(home: string): Layout {
  const sockets = socketDirectory(home);
  return {
    lock: join(home, 'daemon.lock'),
    log: join(home, 'daemon.log'),
    gateway: join(sockets, 'gateway.sock'),
    server: join(home, 'server'),
    instances: join(home, 'instances'),
    simulator: join(home, 'simulator'),
    sockets,
    broker: name => join(home, 'brokers', name),
    brokerHeads: name => join(home, 'broker-heads', `${name}.json`),
    heads: join(home, 'broker-heads')
  };
}

/** `<home>/run`, or where that path is too long for a socket a private directory named after it. */
function socketDirectory(home: string): string {
  const near = join(home, 'run');
  if (Buffer.byteLength(near) <= MAX_SOCKET_DIRECTORY_BYTES) return near;
  const name = createHash('sha256').update(home).digest('hex').slice(0, 12);
  return join(tmpdir(), `cloister-${userInfo().uid}-${name}`);
}
