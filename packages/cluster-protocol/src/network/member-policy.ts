import type { Instant } from '../base/index.js';
import { sameBytes } from '../base/index.js';
import type { CryptoProvider } from '../crypto/provider.js';
import type {
  EndpointPolicy,
  InitiationRequest,
  InitiationVerdict,
  ResponseVerdict,
} from '../session/index.js';
import type { MembershipCertificate } from './certificate.js';
import { decodeCredential } from './credential.js';
import {
  decodeHandshakePayload,
  encodeHandshakePayload,
  type HandshakePayload,
  RefusalCode,
  type SessionKind,
} from './handshake-payload.js';
import type { ReplayGuard } from './replay-guard.js';
import type { SecretRing } from './secret-ring.js';
import { type CredentialRefusal, type VerificationContext, verifyCredential } from './verify.js';

/** No secret: the pre-shared key of `nmn` and `catchUp` sessions. */
export const NO_SECRET: Uint8Array = new Uint8Array(32);

/** Who is on the other side of a session. Before the answer came: whom we asked for. */
export interface SessionPeer {
  readonly nodeId: number;
  readonly kind: SessionKind;
  /** Known while its session opens, as what it said. */
  readonly certificate: MembershipCertificate | undefined;
  /** What it said of itself; absent until it answered, and let go of once its session is open. */
  readonly said: HandshakePayload | undefined;
}

/** What a peer is called in a trace. */
export const peerName = ({ kind, nodeId }: SessionPeer): string => `${kind} #${nodeId}`;

/** What a member knows when it judges another one. */
export interface MemberKnowledge {
  readonly provider: CryptoProvider;
  readonly network: Uint8Array;
  readonly secrets: SecretRing;
  readonly replays: ReplayGuard;
  /** What certificates are held against at this moment. */
  trust(now: Instant): VerificationContext;
  /** What we say of ourselves. */
  introduce(now: Instant, kind: SessionKind, epoch: number): HandshakePayload;
}

/** Refusals that the refused may know about: it holds a certificate of this network, and can do something about it. */
const TOLD: Partial<Record<CredentialRefusal, number>> = {
  expired: RefusalCode.expired,
  revoked: RefusalCode.revoked,
};

/** Admits members of the own network and nobody else; who is no member gets no answer at all. */
export class MemberPolicy implements EndpointPolicy<SessionPeer> {
  readonly #knowledge: MemberKnowledge;

  constructor(knowledge: MemberKnowledge) {
    this.#knowledge = knowledge;
  }

  judgeInitiation(now: Instant, request: InitiationRequest): InitiationVerdict<SessionPeer> {
    const { provider, network, secrets, replays } = this.#knowledge;
    const decoded = decodeHandshakePayload(request.payload);
    if (!decoded.ok) return { verdict: 'drop', reason: decoded.reason };
    const said = decoded.value;
    if (!sameBytes(said.network, network)) return { verdict: 'drop', reason: 'wrongNetwork' };
    if (said.kind !== 'member' && said.kind !== 'catchUp') return { verdict: 'drop', reason: 'refusedPeer' };
    const credential = decodeCredential(said.credential);
    if (!credential.ok) return { verdict: 'drop', reason: 'certificateRefused' };
    const verified = verifyCredential(provider, credential.value, this.#knowledge.trust(now), {
      staticKey: request.remoteStatic,
    });
    if (!verified.ok) {
      const code = TOLD[verified.refusal];
      return code === undefined
        ? { verdict: 'drop', reason: 'certificateRefused' }
        : { verdict: 'refuse', code, text: `your certificate is ${verified.refusal}` };
    }
    const certificate = verified.leaf;
    if (!request.fresh && !replays.isNew(certificate.nodeId, said)) return { verdict: 'retry' };
    const psk = said.kind === 'member' ? secrets.secretOf(said.epoch) : NO_SECRET;
    if (!psk)
      return {
        verdict: 'refuse',
        code: RefusalCode.epochMismatch,
        text: `the network secret is at epoch ${secrets.epoch}, yours at ${said.epoch}`,
      };
    const payload = encodeHandshakePayload(this.#knowledge.introduce(now, said.kind, said.epoch));
    const peer: SessionPeer = { nodeId: certificate.nodeId, kind: said.kind, certificate, said };
    return { verdict: 'accept', psk, payload, peer };
  }

  /** What a peer introduced itself with is long: it is of use only while its session opens. */
  retained({ nodeId, kind }: SessionPeer): SessionPeer {
    return { nodeId, kind, certificate: undefined, said: undefined };
  }

  judgeResponse(
    now: Instant,
    payload: Uint8Array,
    remoteStatic: Uint8Array,
    peer: SessionPeer,
  ): ResponseVerdict<SessionPeer> {
    const { provider, network } = this.#knowledge;
    const decoded = decodeHandshakePayload(payload);
    if (!decoded.ok) return { verdict: 'drop', reason: decoded.reason };
    const said = decoded.value;
    if (!sameBytes(said.network, network)) return { verdict: 'drop', reason: 'wrongNetwork' };
    // The kinds without a secret share one psk: who was asked to catch up must not turn it into anything else.
    if (said.kind !== peer.kind) return { verdict: 'drop', reason: 'unexpected' };
    const credential = decodeCredential(said.credential);
    if (!credential.ok) return { verdict: 'drop', reason: 'certificateRefused' };
    const verified = verifyCredential(provider, credential.value, this.#knowledge.trust(now), {
      staticKey: remoteStatic,
      nodeId: peer.nodeId,
    });
    if (!verified.ok) return { verdict: 'drop', reason: 'certificateRefused' };
    return { verdict: 'accept', peer: { ...peer, certificate: verified.leaf, said } };
  }
}
