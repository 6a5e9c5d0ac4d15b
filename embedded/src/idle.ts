/** Tells when nothing has happened for a while: no request, and nothing that goes on without one. */
export interface IdleWatch {
  /** Something happened. */
  readonly touch: () => void;
  /** @returns whether the limit has passed, and `busy` says that nothing goes on */
  readonly isIdle: (now: Date, busy: () => Promise<boolean>) => Promise<boolean>;
}

export function createIdleWatch(limitMs: number, start: Date, now: () => Date): IdleWatch {
  let last = start;
  return {
    touch: () => {
      last = now();
    },
    isIdle: async (at, busy) => {
      if (at.getTime() - last.getTime() < limitMs) return false;
      if (!(await busy())) return true;
      last = at;
      return false;
    }
  };
}
