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
  RefusalCode,
  type ResponseVerdict,
  sameBytes,
  type SessionKind,
  type TimeView,
  verifyCredential,
  type WallTime,
} from '@coconet/cluster-protocol/core';

import type { SourceLimiter } from '../limits/source-limiter.js';
import type { ClaimRefusal } from '../membership/invitations.js';
import type { NetworkLedger } from '../membership/network-ledger.js';
import type { OperatorTokens } from '../membership/operator-tokens.js';
import { NO_NETWORK, type NmnPeer } from './nmn-peer.js';

/** What the policy judges by. */
export interface PolicyWorld {
  readonly provider: CryptoProvider;
  readonly ledgers: ReadonlyMap<string, NetworkLedger>;
  readonly tokens: OperatorTokens;
  readonly joins: SourceLimiter;
  readonly outboxIncarnation: Uint8Array;
  readonly inboxIncarnation: Uint8Array;
  readonly bootCounter: number;
  uptime(now: Instant): number;
  wallTime(now: Instant): WallTime;
}

const CLAIM_CODES: Record<ClaimRefusal, number> = {
  claimUnknown: RefusalCode.claimUnknown,
  claimUsed: RefusalCode.claimUsed,
  claimExpired: RefusalCode.claimExpired,
  claimKilled: RefusalCode.claimUnknown,
};

const NOTHING = new Uint8Array(0);

/** Who may have a session with the NMN: members of its networks, holders of claims, holders of operator tokens. */
export class NmnPolicy implements EndpointPolicy<NmnPeer> {
  readonly #world: PolicyWorld;

  constructor(world: PolicyWorld) {
    this.#world = world;
  }

  judgeInitiation(now: Instant, request: InitiationRequest): InitiationVerdict<NmnPeer> {
    const decoded = decodeHandshakePayload(request.payload);
    if (!decoded.ok) return { verdict: 'drop', reason: decoded.reason };
    const said = decoded.value;
    if (said.kind === 'join') return this.#judgeClaim(now, request, said);
    if (said.kind !== 'nmn') return { verdict: 'drop', reason: 'refusedPeer' };
    const ledger = this.#world.ledgers.get(formatNetworkId(said.network));
    return ledger
      ? this.#judgeMember(now, request, said, ledger)
      : { verdict: 'drop', reason: 'wrongNetwork' };
  }

  /** The NMN calls nobody. */
  judgeResponse(): ResponseVerdict<NmnPeer> {
    return { verdict: 'drop', reason: 'unexpected' };
  }

  // A joiner has no counters that anybody remembers; its message 1 changes nothing, so a replay of it gains nothing.
  #judgeClaim(now: Instant, request: InitiationRequest, said: HandshakePayload): InitiationVerdict<NmnPeer> {
    const { joins, ledgers, tokens } = this.#world;
    const { path, remoteStatic } = request;
    const wall = this.#world.wallTime(now);
    if (!joins.admit(now, path.remote))
      return {
        verdict: 'refuse',
        code: RefusalCode.tooManyAttempts,
        text: 'too many attempts from your address',
      };
    if (sameBytes(said.network, NO_NETWORK)) {
      const psk = tokens.pskFor(wall, said.claimId);
      return psk
        ? this.#accept(now, psk, { kind: 'operator', source: path.remote }, undefined)
        : {
            verdict: 'refuse',
            code: RefusalCode.claimUnknown,
            text: 'unknown, used or expired operator token',
          };
    }
    const ledger = ledgers.get(formatNetworkId(said.network));
    if (!ledger)
      return {
        verdict: 'refuse',
        code: RefusalCode.wrongNetwork,
        text: 'this NMN does not serve that network',
      };
    const psk = ledger.invitations.pskFor(ledger.clock(wall), said.claimId, remoteStatic);
    if (typeof psk === 'string') return { verdict: 'refuse', code: CLAIM_CODES[psk], text: psk };
    const { key: networkKey } = ledger;
    const { claimId } = said;
    return this.#accept(
      now,
      psk,
      { kind: 'join', networkKey, claimId, staticKey: remoteStatic, source: path.remote },
      ledger,
    );
  }

  #judgeMember(
    now: Instant,
    { remoteStatic, fresh }: InitiationRequest,
    said: HandshakePayload,
    ledger: NetworkLedger,
  ): InitiationVerdict<NmnPeer> {
    const credential = decodeCredential(said.credential);
    if (!credential.ok) return { verdict: 'drop', reason: 'certificateRefused' };
    const time = ledger.time(this.#world.wallTime(now));
    // Who has expired may come to renew: everything but its time is judged as ever.
    const verified = verifyCredential(
      this.#world.provider,
      credential.value,
      ledger.state.trust(lenient(time)),
      {
        staticKey: remoteStatic,
        kinds: ['device', 'client', 'service'],
      },
    );
    if (!verified.ok)
      return verified.refusal === 'revoked'
        ? { verdict: 'refuse', code: RefusalCode.revoked, text: 'your membership was revoked' }
        : { verdict: 'drop', reason: 'certificateRefused' };
    const { leaf } = verified;
    if (!fresh && !ledger.replays.isNew(leaf.nodeId, said)) return { verdict: 'retry' };
    const expired = time.judge(leaf.notBefore, leaf.notAfter) === 'expired';
    const { key: networkKey } = ledger;
    const peer: NmnPeer = { kind: 'nmn', networkKey, nodeId: leaf.nodeId, certificate: leaf, said, expired };
    return this.#accept(now, NO_SECRET, peer, ledger);
  }

  #accept(
    now: Instant,
    psk: Uint8Array,
    peer: NmnPeer,
    ledger: NetworkLedger | undefined,
  ): InitiationVerdict<NmnPeer> {
    const { outboxIncarnation, inboxIncarnation, bootCounter } = this.#world;
    const kind: SessionKind = peer.kind === 'nmn' ? 'nmn' : 'join';
    const payload = encodeHandshakePayload({
      kind,
      network: ledger?.stored.network ?? NO_NETWORK,
      bootCounter,
      uptime: this.#world.uptime(now),
      features: 0,
      epoch: ledger?.secrets.epoch ?? 0,
      authorityNumber: ledger?.state.version.authorityNumber ?? 0,
      stateVersion: ledger?.state.version.version ?? 0,
      outboxIncarnation,
      inboxIncarnation,
      credential: ledger ? encodeCredential(ledger.nmnCredential) : NOTHING,
      claimId: NOTHING,
      rootKey: ledger && kind === 'join' ? ledger.stored.rootKey : NOTHING,
    });
    return { verdict: 'accept', psk, payload, peer };
  }
}

const lenient = (time: TimeView): TimeView => ({ ...time, judge: () => 'valid' });
