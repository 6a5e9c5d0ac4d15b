/** What a server feels when it is killed: from here on nothing that it does has any effect. */
export class Killed extends Error {
  constructor() {
    super('killed');
  }
}

export interface KillSwitch {
  /** The same object, each of whose calls may be the last one. */
  readonly guard: <T extends object>(target: T) => T;
  readonly calls: () => number;
  readonly killed: () => boolean;
}

/**
 * Kills at the `at`-th guarded call, after it had its effect and before anybody heard of it; 0 never. That covers dying
 * before the next call as well, since nothing outside changes between two calls.
 */
export function createKillSwitch(at: number): KillSwitch {
  let calls = 0;
  let dead = false;
  const call = async (work: () => unknown): Promise<unknown> => {
    if (dead) throw new Killed();
    calls += 1;
    const last = calls === at;
    if (last) dead = true;
    const result = await work();
    if (last || isDead()) throw new Killed();
    return result;
  };
  // A function, since the compiler does not see that another call changes it meanwhile.
  const isDead = (): boolean => dead;
  const guard = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (object, key) => {
        const member: unknown = Reflect.get(object, key);
        if (typeof member === 'function') return async (...args: unknown[]) => call(() => Reflect.apply(member, object, args));
        return typeof member === 'object' && member !== null ? guard(member) : member;
      }
    });
  return { guard, calls: () => calls, killed: isDead };
}
