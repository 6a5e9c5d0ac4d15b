import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';
import type { ISignal } from '@lumino/signaling';

/** What `read` gives, again whenever the signal says so. It must give the same object while nothing changed. */
export function useSignalled<T>(signal: ISignal<unknown, unknown>, read: () => T): T {
  const subscribe = useCallback(
    (onChange: () => void) => {
      const slot = (): void => onChange();
      signal.connect(slot);
      return () => void signal.disconnect(slot);
    },
    [signal]
  );
  return useSyncExternalStore(subscribe, read);
}

const TICK_MS = 1000;

/** The time, once a second while it is needed. */
export function useNow(needed: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!needed) return undefined;
    setNow(Date.now());
    const timer = window.setInterval(() => setNow(Date.now()), TICK_MS);
    return () => window.clearInterval(timer);
  }, [needed]);
  return now;
}
