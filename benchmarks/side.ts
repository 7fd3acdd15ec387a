/**
 * One side of one contestant, in a process of its own: `side.ts CONTESTANT`. The parent tells what to do, one thing at a
 * time, and whoever loses the parent ends.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import type { Client, Company, Service } from './contestant.js';
import { CONTESTANTS } from './contestants/index.js';
import { inTime, measure, type Figures, type Scale, type Work } from './work.js';

/** Milliseconds for a thousand sessions, at most. */
const CROWD_PATIENCE = 60_000;
/** Collections until no more memory goes back to the system. */
const COLLECTIONS = 4;

/** What the parent asks. */
export type Order =
  | { readonly kind: 'serve'; readonly company: Company }
  | { readonly kind: 'open'; readonly invitation: unknown }
  | { readonly kind: 'measure'; readonly work: Work; readonly scale: Scale }
  /** The client sets up sessions that stay; it has none to set up: `crowded` with `able` false. */
  | { readonly kind: 'crowd'; readonly sessions: number }
  /** How much memory is resident, without what a collection frees. */
  | { readonly kind: 'weigh' };

/** What it gets. */
export type Report =
  | { readonly kind: 'serving'; readonly invitation: unknown }
  | { readonly kind: 'opened' }
  | { readonly kind: 'measured'; readonly figures: Figures }
  | { readonly kind: 'crowded'; readonly able: boolean }
  | { readonly kind: 'weighed'; readonly bytes: number }
  | { readonly kind: 'failed'; readonly reason: string };

const name = process.argv[2] ?? '';
let service: Service | undefined;
let client: Client | undefined;

async function follow(order: Order): Promise<Report> {
  const contestant = CONTESTANTS[name];
  if (!contestant) throw new Error(`nobody is called '${name}'`);
  switch (order.kind) {
    case 'serve':
      service = await contestant.serve(order.company);
      return { kind: 'serving', invitation: service.invitation };
    case 'open':
      client = await contestant.open(order.invitation);
      return { kind: 'opened' };
    case 'measure':
      return { kind: 'measured', figures: await measure(opened(), order.work, order.scale) };
    case 'crowd': {
      const crowded = opened().crowd?.(order.sessions);
      if (crowded) await inTime(crowded, 'so many sessions', CROWD_PATIENCE);
      return { kind: 'crowded', able: crowded !== undefined };
    }
    case 'weigh':
      return { kind: 'weighed', bytes: service?.memory?.() ?? (await residentBytes()) };
  }
}

function opened(): Client {
  if (!client) throw new Error('the client is to be opened first');
  return client;
}

async function residentBytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < COLLECTIONS; i++) {
    collect();
    // What a collection lets go of is freed in turns of the event loop.
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  return process.memoryUsage.rss();
}

process.on('message', (order: Order) => {
  follow(order).then(
    report => process.send?.(report),
    (error: unknown) => process.send?.({ kind: 'failed', reason: reasonOf(error) } satisfies Report),
  );
});
// Ctrl-C reaches the whole group; the parent alone decides what it means.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => {
  void Promise.allSettled([client?.close(), service?.close()]).finally(() => process.exit(0));
});

/** The first line says it; what follows is where. */
const reasonOf = (error: unknown): string => String(error).split('\n', 1)[0]!;
