import { assert, ClusterError } from '../base/index.js';
import {
  claimMacOf,
  encodeCredential,
  formatNetworkId,
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
import type { Cancellation } from './cancellation.js';
import type { Membership } from './cluster-options.js';
import type { Host } from './machine.js';
import { type CallOutcome, callNmn, refused } from './nmn-conversation.js';

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

/** Throws `WRONG_NETWORK` when a join URI is of another network than the one of this id, which a store belongs to. */
export function checkNetwork({ network, name }: JoinUri, own: string): void {
  const other = formatNetworkId(network);
  if (other === own) return;
  const called = name === undefined ? other : `${name} (${other})`;
  throw new ClusterError(
    'WRONG_NETWORK',
    `the join URI is of the network ${called}, and this store belongs to the network ${own}: use another store for it, or leave the URI out`,
  );
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
  cancellation?: Cancellation,
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
    cancellation,
  };
  const outcome: CallOutcome = await callNmn(host, target, async (ask, rootKey) => {
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
  }).catch((error: unknown) => {
    // It may have admitted us, and gives the same answer to the same keys again.
    if (error instanceof ClusterError && error.code === 'NMN_UNREACHABLE')
      return { kind: 'unreachable', text: error.message };
    throw error;
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
