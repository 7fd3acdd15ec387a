import type { Network, NodePath } from '@coconet/client-sdk';

import type { Context } from './context.js';
import { requireStore } from './store.js';

/** How long a command waits for something of the network before it gives up: 10 s. */
const PATIENCE = 10_000;

/** What is asked of the network: ends with the command, or after a while. */
export const waiting = (
  { signal }: Pick<Context, 'signal'>,
  timeout = PATIENCE,
): { readonly signal: AbortSignal; readonly timeout: number } => ({ signal, timeout });

/** Does some work with the network of this node, and leaves it. */
export async function withNetwork<T>(context: Context, work: (network: Network) => Promise<T>): Promise<T> {
  const { out, signal, store } = context;
  await requireStore(context);
  const { connect } = await import('@coconet/client-sdk');
  const opening = connect({ store: store.path, signal, onNotice: text => out.note(text) });
  const network = await out.progress('opening the node', opening);
  try {
    return await work(network);
  } finally {
    await network.close();
  }
}

/** A way to a node in a few words: `direct (host), 0.4 ms`. */
export function describePath(path: NodePath | null): string {
  if (path === null) return '-';
  const rtt = path.rtt === null ? '' : `, ${formatMs(path.rtt)}`;
  return `${path.path} (${path.scope})${rtt}`;
}

/** Milliseconds for people: two digits that count. */
export const formatMs = (ms: number): string => `${ms < 10 ? ms.toFixed(2) : Math.round(ms).toString()} ms`;
