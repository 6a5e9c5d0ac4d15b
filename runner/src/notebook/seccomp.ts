import { AppError } from '@cloister/protocol';

// Classic BPF over struct seccomp_data { int nr; u32 arch; u64 ip; u64 args[6] }.
const LOAD_WORD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_AT_LEAST = 0x35;
const JUMP_IF_ANY_BIT = 0x45;
const RETURN = 0x06;

const OFFSET_NUMBER = 0;
const OFFSET_ARCHITECTURE = 4;
const OFFSET_FIRST_ARGUMENT = 16;

const KILL_PROCESS = 0x80000000;
const ALLOW = 0x7fff0000;
const FAIL_EPERM = 0x00050000 | 1;
const FAIL_ENOSYS = 0x00050000 | 38;

/** CLONE_NEW*: mount, cgroup, uts, ipc, user, pid and network namespaces. */
const NEW_NAMESPACES = 0x7e020000;
/** Numbers from here on are the x32 calls of x86-64, which would slip past a filter on the usual ones. */
const X32 = 0x40000000;

interface Abi {
  readonly audit: number;
  readonly clone: number;
  readonly clone3: number;
  readonly unshare: number;
  readonly setns: number;
  readonly x32: boolean;
}

const ABIS: Readonly<Partial<Record<NodeJS.Architecture, Abi>>> = {
  x64: { audit: 0xc000003e, clone: 56, clone3: 435, unshare: 272, setns: 308, x32: true },
  arm64: { audit: 0xc00000b7, clone: 220, clone3: 435, unshare: 97, setns: 268, x32: false }
};

type Instruction = readonly [code: number, whenTrue: number, whenFalse: number, value: number];

const load = (offset: number): Instruction => [LOAD_WORD, 0, 0, offset];
const end = (verdict: number): Instruction => [RETURN, 0, 0, verdict];
const fail = (call: number, verdict: number): Instruction[] => [[JUMP_IF_EQUAL, 0, 1, call], end(verdict)];

/**
 * A seccomp program that lets a process make no namespace and enter none. `--disable-userns` does the same by a
 * sysctl, but containers mount /proc/sys read-only, so it cannot be had there; this works everywhere.
 * clone3 passes its flags by pointer, which no filter can read: it "does not exist", and libc falls back to clone.
 */
export function namespaceFilter(architecture: NodeJS.Architecture): Uint8Array {
  const abi = ABIS[architecture];
  if (abi === undefined) {
    throw new AppError('sandbox_unavailable', `no system call filter is known for ${architecture}`);
  }
  return assemble([
    load(OFFSET_ARCHITECTURE),
    [JUMP_IF_EQUAL, 1, 0, abi.audit],
    end(KILL_PROCESS),
    load(OFFSET_NUMBER),
    ...(abi.x32 ? [[JUMP_IF_AT_LEAST, 0, 1, X32] as const, end(KILL_PROCESS)] : []),
    ...fail(abi.unshare, FAIL_EPERM),
    ...fail(abi.setns, FAIL_EPERM),
    ...fail(abi.clone3, FAIL_ENOSYS),
    [JUMP_IF_EQUAL, 0, 3, abi.clone],
    load(OFFSET_FIRST_ARGUMENT),
    [JUMP_IF_ANY_BIT, 0, 1, NEW_NAMESPACES],
    end(FAIL_EPERM),
    end(ALLOW)
  ]);
}

function assemble(program: readonly Instruction[]): Uint8Array {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(([code, whenTrue, whenFalse, value], index) => {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(whenTrue, index * 8 + 2);
    bytes.writeUInt8(whenFalse, index * 8 + 3);
    bytes.writeUInt32LE(value, index * 8 + 4);
  });
  return bytes;
}
