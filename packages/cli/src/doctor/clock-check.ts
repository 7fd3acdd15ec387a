import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { Context } from '../context.js';
import type { Finding } from './finding.js';

/** No clock that is right shows an earlier time: this program was not there. 2026-01-01T00:00:00Z. */
const EARLIEST = 1_767_225_600_000;

/** Certificates allow two clocks to differ by this much (docs/spec/05-network.md, "Time"): 5 min. */
const TOLERANCE = 300_000;

/** Whether the clock can be right: not before this program, not before what this node has written. */
export async function checkClock({ store }: Context): Promise<Finding> {
  const now = Date.now();
  const shown = new Date(now).toISOString();
  const next =
    'set the clock: certificates are judged by it (timedatectl set-ntp true, on most Linux systems)';
  if (now < EARLIEST)
    return { check: 'clock', state: 'failed', detail: `the clock shows ${shown}, which is long ago`, next };
  const written = await newestOf(store.path);
  if (written > now + TOLERANCE) {
    const ahead = new Date(written).toISOString();
    return {
      check: 'clock',
      state: 'failed',
      detail: `the clock shows ${shown}, but this node wrote its store at ${ahead}`,
      next,
    };
  }
  return { check: 'clock', state: 'ok', detail: shown };
}

/** When the newest file of the folder was written, in ms of civil time; 0: there is none. */
async function newestOf(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const times = await Promise.all(
    names.map(name =>
      stat(join(folder, name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  return Math.max(0, ...times);
}
