import type { Host } from '@coconet/cluster-protocol';
import { milliseconds } from '@coconet/cluster-protocol';
import { ClientError } from './errors.js';
import type { NetworkView } from './network-view.js';

/** Timers, and nothing else of a host. */
export type Timers = Pick<Host, 'now' | 'schedule'>;

/** What a wait takes notice of. */
export interface Waiting {
  /** ms; `Infinity`: for ever. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  /** Aborted with the error to throw when there is nothing to wait for any more. */
  readonly ended: AbortSignal;
}

/**
 * Waits until the picture lets `look` find something. `undefined`: not in time.
 *
 * @throws {ClientError} `CANCELLED`, what `look` throws, or the reason of `ended`.
 */
export async function waitFor<T>(
  timers: Timers,
  view: NetworkView,
  look: () => T | undefined,
  { timeout, signal, ended }: Waiting,
): Promise<T | undefined> {
  const cleanUp: (() => void)[] = [];
  try {
    return await new Promise<T | undefined>((resolve, reject) => {
      const check = (): void => {
        try {
          const found = look();
          if (found !== undefined) resolve(found);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      whenAborted(ended, () => reject(ended.reason as Error), cleanUp);
      if (signal) whenAborted(signal, () => reject(calledOff(signal)), cleanUp);
      cleanUp.push(view.on(check));
      if (timeout !== Infinity)
        cleanUp.push(timers.schedule(milliseconds(timeout), () => resolve(undefined)));
      check();
    });
  } finally {
    for (const each of cleanUp) each();
  }
}

/** Waits for a time. False: it was called off. */
export async function pause(
  timers: Timers,
  time: number,
  ...signals: readonly AbortSignal[]
): Promise<boolean> {
  const cleanUp: (() => void)[] = [];
  const passed = await new Promise<boolean>(resolve => {
    for (const signal of signals) whenAborted(signal, () => resolve(false), cleanUp);
    cleanUp.push(timers.schedule(milliseconds(time), () => resolve(true)));
  });
  for (const each of cleanUp) each();
  return passed;
}

function whenAborted(signal: AbortSignal, act: () => void, cleanUp: (() => void)[]): void {
  if (signal.aborted) act();
  signal.addEventListener('abort', act, { once: true });
  cleanUp.push(() => signal.removeEventListener('abort', act));
}

const calledOff = (signal: AbortSignal): ClientError =>
  new ClientError('CANCELLED', 'called off while waiting', { cause: signal.reason });
