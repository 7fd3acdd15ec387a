import type { Network, NodePath, Resource } from '@coconet/client-sdk';

import { parseResource } from './address.js';
import type { Context } from './context.js';
import { requireStore } from './store.js';

/** How long a command waits for something of the network before it gives up: 10 s. */
const PATIENCE = 10_000;

/** What is asked of the network: ends with the command, or after a while. */
export const waiting = (
  { signal }: Pick<Context, 'signal'>,
  timeout = PATIENCE,
): { readonly signal: AbortSignal; readonly timeout: number } => ({ signal, timeout });

/** How long the news of who is there is waited for: 5 s. A network whose NMN is off has none. */
const NEWS_PATIENCE = 5_000;

/** What patience does not mend. */
const UNKNOWN: ReadonlySet<string> = new Set(['UNKNOWN_NODE', 'UNKNOWN_RESOURCE', 'AMBIGUOUS_NAME']);

/** A device that has just started names its resources a moment after it has come: 1.5 s, on a busy machine. */
const LATECOMER = 1_500;

/** Waits for the news of who is there and what devices have, and says when there will be none. */
export async function awaitNews(network: Network, context: Context, text: string): Promise<void> {
  const { out } = context;
  await out.progress(text, network.ready(waiting(context, NEWS_PATIENCE)));
  if (network.nmn === 'away' && !context.signal.aborted)
    out.note(
      'the NMN does not answer: who else is there is not known; `coconet doctor` looks for the reason',
    );
}

/**
 * A resource by its address. What cannot come any more is not waited for: where all devices that are there have told what
 * they have, a wrong name is an error after a moment, not after `timeout`.
 */
export async function findResource(
  network: Network,
  text: string,
  context: Context,
  timeout: number | undefined,
): Promise<Resource> {
  const patient = new AbortController();
  const signal = AbortSignal.any([context.signal, patient.signal]);
  const coming = network.resource(text, waiting({ signal }, timeout));
  const missing = noticeMissing(network, text, signal);
  try {
    return await context.out.progress(`waiting for ${text}`, Promise.race([coming, missing]));
  } finally {
    patient.abort();
    // Whichever came second has nothing to say.
    coming.catch(() => undefined);
    missing.catch(() => undefined);
  }
}

/** Fails when the resource cannot be expected any more; else goes on until it is called off. */
async function noticeMissing(network: Network, text: string, signal: AbortSignal): Promise<never> {
  const { device } = parseResource(text);
  await network.ready(waiting({ signal }, Infinity));
  await pause(LATECOMER, signal);
  const isAway = network
    .nodes()
    .some(({ name, nodeId, online }) => !online && (name === device || `#${nodeId}` === device));
  // Whoever is away may still come, and without the NMN nothing is known of anybody.
  if (network.nmn === 'connected' && !isAway)
    await network.resource(text, { timeout: 1, signal }).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && UNKNOWN.has(String(error.code))) throw error;
    });
  return new Promise<never>(() => undefined);
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });

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
