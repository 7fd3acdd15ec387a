import { assert, ClusterError, type Duration, milliseconds } from '../base/index.js';
import {
  claimIdOf,
  claimMacOf,
  claimPskOf,
  encodeCredential,
  type JoinUri,
  type ManagementContent,
  type ManagementErrorCode,
  NetworkState,
  type NodeKeys,
  type NodeKind,
  RefusalCode,
  SecretRing,
  signClaim,
  TrustedTime,
  verifyCredential,
} from '../network/index.js';
import type { SocketAddress } from '../wire/index.js';
import type { Membership } from './cluster-options.js';
import type { Host } from './machine.js';
import { type CallEvent, NmnCall } from './nmn-call.js';

/** What joining gave. */
export interface Joined {
  readonly membership: Membership;
  readonly state: Uint8Array;
  readonly secrets: Uint8Array;
}

/** How a try to join ended. */
export type JoinOutcome =
  | { readonly kind: 'joined'; readonly joined: Joined }
  /** Nobody answered; another try may succeed. */
  | { readonly kind: 'unreachable'; readonly text: string };

/** The request was sent on; the answer must come within this. */
const ANSWER_TIMEOUT: Duration = milliseconds(15_000);

/** One question to an NMN by somebody who is no member yet. Resolves with the answer, or with why there is none. */
export async function callNmn(
  host: Host,
  target: {
    readonly keys: Pick<NodeKeys, 'static'>;
    readonly nmnStaticKey: Uint8Array;
    readonly addresses: readonly SocketAddress[];
    readonly network: Uint8Array;
    /** The claim or operator token. */
    readonly secret: Uint8Array;
  },
  converse: (
    ask: (content: ManagementContent) => Promise<ManagementContent>,
    rootKey: Uint8Array,
  ) => Promise<void>,
): Promise<{ readonly kind: 'done' } | { readonly kind: 'unreachable'; readonly text: string }> {
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
  });
  let settle: (event: CallEvent) => void = () => undefined;
  const next = (): Promise<CallEvent> =>
    new Promise(resolve => {
      settle = resolve;
    });
  let coming = next();
  const running = await host.run(call, {}, event => {
    settle(event);
  });
  const cancel = host.schedule(ANSWER_TIMEOUT, () => {
    settle({ kind: 'failed', reason: 'unreachable', text: 'it did not finish its answer' });
  });
  const take = async (): Promise<CallEvent> => {
    const event = await coming;
    coming = next();
    if (event.kind === 'failed' && event.reason === 'refused') throw refused(event.code, event.text);
    return event;
  };
  try {
    const opened = await take();
    if (opened.kind === 'failed') return { kind: 'unreachable', text: opened.text };
    assert(opened.kind === 'open', 'a call opens before it answers');
    let lost: string | undefined;
    const ask = async (content: ManagementContent): Promise<ManagementContent> => {
      call.request(host.now(), content);
      running.turn();
      const answer = await take();
      if (answer.kind === 'answer') return answer.content;
      lost = answer.kind === 'failed' ? answer.text : 'it answered out of turn';
      throw new ClusterError('NMN_UNREACHABLE', `the NMN went away in the middle: ${lost}`);
    };
    await converse(ask, opened.rootKey);
    call.close(host.now());
    running.turn();
    return { kind: 'done' };
  } finally {
    cancel();
    await running.close();
  }
}

/**
 * Asks the NMN of a join URI to admit this node. What comes back is checked against the network's id before anything is
 * kept. Throws `JOIN_REFUSED` or `WRONG_NETWORK`; the same claim may be used again by the same keys.
 */
export async function joinNetwork(
  host: Host,
  uri: JoinUri,
  addresses: readonly SocketAddress[],
  keys: NodeKeys,
  wish: { readonly kind: NodeKind; readonly name: string },
): Promise<JoinOutcome> {
  const { crypto } = host;
  const joiner = { signingKey: keys.signing.publicKey, staticKey: keys.static.publicKey };
  const result: { joined?: Joined } = {};
  const target = {
    keys,
    nmnStaticKey: uri.nmnKey,
    addresses,
    network: uri.network,
    secret: uri.claim,
  };
  const outcome = await callNmn(host, target, async (ask, rootKey) => {
    const answer = await ask({
      type: 'join',
      kind: wish.kind,
      name: wish.name,
      signingKey: joiner.signingKey,
      claimMac: claimMacOf(crypto, uri.claim, uri.network, joiner),
      claimSignature: signClaim(crypto, uri.claim, uri.network, joiner),
    });
    if (answer.type === 'error') throw refusedBy(answer.code, answer.message);
    if (answer.type !== 'joined')
      throw new ClusterError('JOIN_REFUSED', 'the NMN answered something else than a join');
    result.joined = accept(host, uri, rootKey, answer, keys);
  });
  if (outcome.kind === 'unreachable') return outcome;
  assert(result.joined !== undefined, 'a conversation that ended well has joined');
  return { kind: 'joined', joined: result.joined };
}

function accept(
  host: Host,
  uri: JoinUri,
  rootKey: Uint8Array,
  answer: Extract<ManagementContent, { type: 'joined' }>,
  keys: NodeKeys,
): Joined {
  const { crypto } = host;
  const now = host.now();
  const state = NetworkState.restore(crypto, { network: uri.network, rootKey }, answer.state);
  if (!state.ok) throw new ClusterError('JOIN_REFUSED', 'the network state that the NMN sent is malformed');
  const time = new TrustedTime(now, answer.credential.leaf.issuedAt);
  time.handleClock(now, host.wallTime());
  const verified = verifyCredential(crypto, answer.credential, state.value.trust(time.at(now)), {
    nodeId: answer.nodeId,
    staticKey: keys.static.publicKey,
  });
  if (!verified.ok)
    throw new ClusterError(
      'CERTIFICATE_INVALID',
      `the NMN sent a certificate that this network does not back (${verified.refusal})`,
    );
  const secrets = new SecretRing();
  secrets.add({ epoch: answer.epoch, secret: answer.secret });
  return {
    membership: {
      network: uri.network,
      rootKey,
      nodeId: answer.nodeId,
      name: answer.name,
      credential: encodeCredential(answer.credential),
      nmnStaticKey: uri.nmnKey,
    },
    state: answer.state,
    secrets: secrets.snapshot(),
  };
}

const AGAIN = 'Ask whoever runs the network for a new invitation.';

function refused(code: number, text: string): ClusterError {
  const sentences: Record<number, string> = {
    [RefusalCode.claimUnknown]: `the NMN does not know this invitation: it was mistyped, withdrawn, or comes from another network. ${AGAIN}`,
    [RefusalCode.claimUsed]: `this invitation was used by another node already. ${AGAIN}`,
    [RefusalCode.claimExpired]: `this invitation has expired. ${AGAIN}`,
    [RefusalCode.tooManyAttempts]: 'the NMN has seen too many wrong invitations; wait a minute and try again',
    [RefusalCode.wrongNetwork]: `the NMN does not serve the network of this invitation. ${AGAIN}`,
  };
  return new ClusterError('JOIN_REFUSED', sentences[code] ?? `the NMN refused: ${text || `code ${code}`}`);
}

function refusedBy(code: ManagementErrorCode, message: string): ClusterError {
  const known: Partial<Record<ManagementErrorCode, number>> = {
    claimUnknown: RefusalCode.claimUnknown,
    claimUsed: RefusalCode.claimUsed,
    claimExpired: RefusalCode.claimExpired,
    claimKilled: RefusalCode.claimUnknown,
    networkUnknown: RefusalCode.wrongNetwork,
  };
  const refusal = known[code];
  return refusal === undefined
    ? new ClusterError('JOIN_REFUSED', `the NMN refused: ${message}`)
    : refused(refusal, message);
}
