/**
 * One side of one contestant, in a process of its own: `side.ts CONTESTANT`. The parent tells what to do, one thing at a
 * time, and whoever loses the parent ends.
 */
import type { Client, Service } from './contestant.js';
import { CONTESTANTS } from './contestants/index.js';
import { measure, type Figures, type Scale, type Work } from './work.js';

/** What the parent asks. */
export type Order =
  | { readonly kind: 'serve' }
  | { readonly kind: 'open'; readonly invitation: unknown }
  | { readonly kind: 'measure'; readonly work: Work; readonly scale: Scale };

/** What it gets. */
export type Report =
  | { readonly kind: 'serving'; readonly invitation: unknown }
  | { readonly kind: 'opened' }
  | { readonly kind: 'measured'; readonly figures: Figures }
  | { readonly kind: 'failed'; readonly reason: string };

const name = process.argv[2] ?? '';
let service: Service | undefined;
let client: Client | undefined;

async function follow(order: Order): Promise<Report> {
  const contestant = CONTESTANTS[name];
  if (!contestant) throw new Error(`nobody is called '${name}'`);
  switch (order.kind) {
    case 'serve':
      service = await contestant.serve();
      return { kind: 'serving', invitation: service.invitation };
    case 'open':
      client = await contestant.open(order.invitation);
      return { kind: 'opened' };
    case 'measure':
      if (!client) throw new Error('the client is to be opened first');
      return { kind: 'measured', figures: await measure(client, order.work, order.scale) };
  }
}

process.on('message', (order: Order) => {
  follow(order).then(
    report => process.send?.(report),
    (error: unknown) => process.send?.({ kind: 'failed', reason: String(error) } satisfies Report),
  );
});
// Ctrl-C reaches the whole group; the parent alone decides what it means.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => {
  void Promise.all([client?.close(), service?.close()]).finally(() => process.exit(0));
});
