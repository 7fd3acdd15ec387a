import {
  type CryptoProvider,
  decodeCredential,
  decodeHandshakePayload,
  encodeCredential,
  encodeHandshakePayload,
  type EndpointPolicy,
  formatNetworkId,
  type HandshakePayload,
  type InitiationRequest,
  type InitiationVerdict,
  type Instant,
  NO_SECRET,
  randomBytes,
  type RandomSource,
  RefusalCode,
  type ResponseVerdict,
  verifyCredential,
  type WallTime,
} from '@coconet/cluster-protocol/core';

import type { SourceLimiter } from '../limits/source-limiter.js';
import type { ClaimRefusal } from './invitations.js';
import type { NetworkLedger } from './network-ledger.js';
import type { Asker, Networks, Stranger } from './networks.js';

/** Somebody with a session, or about to have one. */
export interface NmnPeer {
  readonly asker: Asker;
  readonly said: HandshakePayload;
}

/** What a peer is called in a trace. */
export const peerName = ({ asker }: NmnPeer): string =>
  asker.kind === 'member' ? `member #${asker.nodeId}` : asker.kind;

/** What the policy needs of its NMN. */
export interface PolicyWorld {
  readonly provider: CryptoProvider;
  readonly random: RandomSource;
  readonly networks: Networks;
  /** For claims and operator tokens alike: what a stranger may try. */
  readonly limiter: SourceLimiter;
  /** Starts of this NMN, and milliseconds since the present one. */
  moment(now: Instant): { readonly bootCounter: number; readonly uptime: number };
  wall(): WallTime;
  /** A stranger named a claim or token and did not prove that it holds it. */
  unproven(now: Instant, stranger: Stranger): void;
}

/** An operator's call names no network: it makes one. */
const NO_NETWORK_KEY = formatNetworkId(new Uint8Array(16));
const NOTHING = new Uint8Array(0);

const REFUSAL_CODES: Readonly<Record<ClaimRefusal, number>> = {
  claimUnknown: RefusalCode.claimUnknown,
  claimUsed: RefusalCode.claimUsed,
  claimExpired: RefusalCode.claimExpired,
  claimKilled: RefusalCode.claimUnknown,
};

/**
 * Decides who may have a session with the NMN: members of a network it serves, nodes with a claim, operators with a
 * token. A stranger has to send its message 1 twice, the second time with a nonce, before any claim is looked up: so the
 * rate limit counts addresses that somebody really has.
 */
export class AdmissionPolicy implements EndpointPolicy<NmnPeer> {
  readonly #world: PolicyWorld;

  constructor(world: PolicyWorld) {
    this.#world = world;
  }

  judgeInitiation(now: Instant, request: InitiationRequest): InitiationVerdict<NmnPeer> {
    const decoded = decodeHandshakePayload(request.payload);
    if (!decoded.ok) return { verdict: 'drop', reason: decoded.reason };
    const said = decoded.value;
    if (said.kind === 'join') return this.#judgeStranger(now, request, said);
    const served = this.#world.networks.get(formatNetworkId(said.network));
    return served
      ? this.#judgeMember(now, request, said, served.ledger)
      : { verdict: 'drop', reason: 'wrongNetwork' };
  }

  unproven(now: Instant, { asker }: NmnPeer): void {
    if (asker.kind !== 'member') this.#world.unproven(now, asker);
  }

  judgeResponse(): ResponseVerdict<NmnPeer> {
    return { verdict: 'drop', reason: 'unexpected' }; // An NMN begins no handshake.
  }

  #judgeStranger(
    now: Instant,
    request: InitiationRequest,
    said: HandshakePayload,
  ): InitiationVerdict<NmnPeer> {
    if (!request.fresh) return { verdict: 'retry' };
    const { networks, limiter } = this.#world;
    if (!limiter.admit(now, request.path.remote))
      return refuse(RefusalCode.tooManyAttempts, 'too many attempts; wait a minute');
    const networkKey = formatNetworkId(said.network);
    const wall = this.#world.wall();
    if (networkKey === NO_NETWORK_KEY) {
      const psk = networks.tokens.pskFor(wall, said.claimId, request.remoteStatic);
      if (typeof psk === 'string') return refuse(REFUSAL_CODES[psk], '');
      const { claimId: tokenId } = said;
      return this.#accept(
        now,
        said,
        psk,
        { kind: 'operator', tokenId, staticKey: request.remoteStatic },
        undefined,
      );
    }
    const ledger = networks.get(networkKey)?.ledger;
    if (!ledger) return refuse(RefusalCode.wrongNetwork, 'this NMN does not serve that network');
    const psk = ledger.invitations.pskFor(ledger.clock(wall), said.claimId, request.remoteStatic);
    if (typeof psk === 'string') return refuse(REFUSAL_CODES[psk], '');
    const { claimId } = said;
    const asker: Asker = { kind: 'joiner', networkKey, claimId, staticKey: request.remoteStatic };
    return this.#accept(now, said, psk, asker, ledger);
  }

  #judgeMember(
    now: Instant,
    request: InitiationRequest,
    said: HandshakePayload,
    ledger: NetworkLedger,
  ): InitiationVerdict<NmnPeer> {
    const { provider } = this.#world;
    const credential = decodeCredential(said.credential);
    if (!credential.ok) return { verdict: 'drop', reason: 'certificateRefused' };
    const expectation = { staticKey: request.remoteStatic, kinds: MEMBER_KINDS };
    const trust = ledger.state.trust(ledger.time(this.#world.wall()));
    const verified = verifyCredential(provider, credential.value, trust, expectation);
    // Who was away for long comes with an expired certificate; it may renew it here and nothing else.
    const limited = !verified.ok && verified.refusal === 'expired' && said.kind === 'nmn';
    if (!verified.ok && !limited) {
      if (verified.refusal === 'revoked') return refuse(RefusalCode.revoked, 'your membership was revoked');
      if (verified.refusal === 'expired') return refuse(RefusalCode.expired, 'your certificate has expired');
      return { verdict: 'drop', reason: 'certificateRefused' };
    }
    const { nodeId } = credential.value.leaf;
    if (!request.fresh && !ledger.replays.isNew(nodeId, said)) return { verdict: 'retry' };
    const psk = said.kind === 'member' ? ledger.secrets.secretOf(said.epoch) : NO_SECRET;
    if (!psk)
      return refuse(RefusalCode.epochMismatch, `the network secret is at epoch ${ledger.secrets.epoch}`);
    return this.#accept(now, said, psk, { kind: 'member', networkKey: ledger.key, nodeId, limited }, ledger);
  }

  #accept(
    now: Instant,
    said: HandshakePayload,
    psk: Uint8Array,
    asker: Asker,
    ledger: NetworkLedger | undefined,
  ): InitiationVerdict<NmnPeer> {
    const { random } = this.#world;
    const { authorityNumber, version } = ledger?.state.version ?? { authorityNumber: 0, version: 0 };
    const payload = encodeHandshakePayload({
      kind: said.kind,
      network: said.network,
      ...this.#world.moment(now),
      features: 0,
      epoch: said.kind === 'member' ? said.epoch : (ledger?.secrets.epoch ?? 0),
      authorityNumber,
      stateVersion: version,
      // What the NMN sends is worth as long as its session; so is its memory of what it received.
      outboxIncarnation: randomBytes(random, 8),
      inboxIncarnation: randomBytes(random, 8),
      credential: ledger ? encodeCredential(ledger.nmnCredential) : NOTHING,
      claimId: NOTHING,
      rootKey: asker.kind === 'joiner' && ledger ? ledger.stored.rootKey : NOTHING,
    });
    return { verdict: 'accept', psk, payload, peer: { asker, said } };
  }
}

const MEMBER_KINDS = ['device', 'client', 'service'] as const;

const refuse = (code: number, text: string): InitiationVerdict<NmnPeer> => ({
  verdict: 'refuse',
  code,
  text,
});
