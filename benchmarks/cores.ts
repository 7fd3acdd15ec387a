import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** One core for the server, one for the client. */
export type Cores = readonly [server: number, client: number];

/** Two cores that processes can be pinned to; `undefined` where the system has no `taskset` or gives us only one. */
export function twoCores(): Cores | undefined {
  const [server, client] = allowedCores();
  if (server === undefined || client === undefined) return undefined;
  const tried = spawnSync('taskset', ['-c', `${server},${client}`, 'true'], { stdio: 'ignore' });
  return tried.status === 0 ? [server, client] : undefined;
}

/** What Linux allows this process, such as `0-3,8`. */
function allowedCores(): readonly number[] {
  let status: string;
  try {
    status = readFileSync('/proc/self/status', 'utf8');
  } catch {
    return []; // Another system; it has no taskset either.
  }
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '';
  return list.split(',').flatMap(range => {
    const [first = NaN, last = first] = range.split('-').map(Number);
    return Number.isInteger(first) ? Array.from({ length: last - first + 1 }, (_, i) => first + i) : [];
  });
}
