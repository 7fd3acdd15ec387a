import { assert, ClusterError, type Duration, milliseconds } from '../base/index.js';
import {
  claimIdOf,
  claimPskOf,
  type ManagementContent,
  type NodeKeys,
  RefusalCode,
} from '../network/index.js';
import type { SocketAddress } from '../wire/index.js';
import type { Cancellation } from './cancellation.js';
import type { Host } from './machine.js';
import { type CallEvent, NmnCall } from './nmn-call.js';

/** The request was sent on; the answer must come within this. */
const ANSWER_TIMEOUT: Duration = milliseconds(15_000);

/** Whom to ask, and as whom. */
export interface CallTarget {
  readonly keys: Pick<NodeKeys, 'static'>;
  readonly nmnStaticKey: Uint8Array;
  readonly addresses: readonly SocketAddress[];
  /** 16 zero bytes for an operator's call, which makes a network. */
  readonly network: Uint8Array;
  /** The claim or operator token. */
  readonly secret: Uint8Array;
  /** Ends the call, which then rejects with `CANCELLED`. */
  readonly cancellation?: Cancellation | undefined;
}

/** How a call ended that nobody refused: `unreachable` when it did not begin, and may another time. */
export type CallOutcome = { readonly kind: 'done' } | { readonly kind: 'unreachable'; readonly text: string };

/** Requests to an NMN and their answers, one after the other. Rejects with `NMN_UNREACHABLE` when it goes away meanwhile. */
export type Ask = (content: ManagementContent) => Promise<ManagementContent>;

/**
 * A conversation with an NMN by somebody who is no member yet. Rejects with `JOIN_REFUSED` when the NMN knows of no such
 * claim or token, with `CANCELLED`, and with whatever `converse` throws; nothing stays open then.
 */
export async function callNmn(
  host: Host,
  target: CallTarget,
  converse: (ask: Ask, rootKey: Uint8Array) => Promise<void>,
): Promise<CallOutcome> {
  const trace = host.trace?.('call');
  const call = new NmnCall({
    provider: host.crypto,
    random: host.random,
    now: host.now(),
    staticKey: target.keys.static,
    nmnStaticKey: target.nmnStaticKey,
    addresses: target.addresses,
    network: target.network,
    claimId: claimIdOf(host.crypto, target.secret),
    psk: claimPskOf(host.crypto, target.secret),
    trace,
  });
  const untaken: CallEvent[] = [];
  let heard: () => void = () => undefined;
  const tell = (event: CallEvent): void => {
    untaken.push(event);
    heard();
  };
  const running = await host.run(call, {}, tell);
  const cancel = host.schedule(ANSWER_TIMEOUT, () => {
    tell({ kind: 'failed', reason: 'unreachable', text: 'it did not finish its answer' });
  });
  const { cancellation } = target;
  cancellation?.listen(() => heard());
  const take = async (): Promise<CallEvent> => {
    for (;;) {
      if (cancellation?.cancelled) throw new ClusterError('CANCELLED', 'called off while asking the NMN');
      const event = untaken.shift();
      if (event?.kind === 'failed' && event.reason === 'refused') return refusedCall(target, event);
      if (event) return event;
      await new Promise<void>(resolve => {
        heard = resolve;
      });
    }
  };
  try {
    const opened = await take();
    if (opened.kind === 'failed') return { kind: 'unreachable', text: opened.text };
    assert(opened.kind === 'open', 'a call opens before it answers');
    const ask: Ask = async content => {
      call.request(host.now(), content);
      running.turn();
      const answer = await take();
      if (answer.kind === 'answer') return answer.content;
      const lost = answer.kind === 'failed' ? answer.text : 'it answered out of turn';
      throw new ClusterError('NMN_UNREACHABLE', `the NMN went away in the middle: ${lost}`);
    };
    await converse(ask, opened.rootKey);
    call.close(host.now());
    running.turn();
    return { kind: 'done' };
  } finally {
    cancel();
    cancellation?.listen();
    await running.close();
    trace?.close();
  }
}

const AGAIN = 'Ask whoever runs the network for a new invitation.';

/** A claim or token that leads nowhere is an error; an NMN that has no time for strangers now is one that is away. */
function refusedCall(
  target: CallTarget,
  { code, text }: { readonly code: number; readonly text: string },
): CallEvent {
  if (code === RefusalCode.tooManyAttempts)
    return { kind: 'failed', reason: 'unreachable', text: 'too many attempts from here; it wants a pause' };
  throw target.network.some(byte => byte !== 0) ? refused(code, text) : refusedOperator(code, text);
}

function refusedOperator(code: number, text: string): ClusterError {
  const sentences: Record<number, string> = {
    [RefusalCode.claimUnknown]: 'the NMN does not know this operator URI: it was mistyped, or has expired',
    [RefusalCode.claimUsed]: 'this operator URI has made a network already',
  };
  const sentence = sentences[code] ?? `the NMN refused: ${text || `code ${code}`}`;
  return new ClusterError('JOIN_REFUSED', `${sentence}. Ask the operator of the NMN for a new one.`);
}

/** Why an NMN admits nobody with this claim. */
export function refused(code: number, text: string): ClusterError {
  const sentences: Record<number, string> = {
    [RefusalCode.claimUnknown]: `the NMN does not know this invitation: it was mistyped, withdrawn, or comes from another network. ${AGAIN}`,
    [RefusalCode.claimUsed]: `this invitation was used by another node already. ${AGAIN}`,
    [RefusalCode.claimExpired]: `this invitation has expired. ${AGAIN}`,
    [RefusalCode.wrongNetwork]: `the NMN does not serve the network of this invitation. ${AGAIN}`,
  };
  return new ClusterError('JOIN_REFUSED', sentences[code] ?? `the NMN refused: ${text || `code ${code}`}`);
}
