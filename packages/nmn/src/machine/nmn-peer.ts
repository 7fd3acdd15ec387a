import type { HandshakePayload, MembershipCertificate, SocketAddress } from '@coconet/cluster-protocol/core';

/** Who is on the other side of a session with this NMN. */
export type NmnPeer =
  /** A member. `expired`: its certificate is past its end; it may renew it and nothing else. */
  | {
      readonly kind: 'nmn';
      readonly networkKey: string;
      readonly nodeId: number;
      readonly certificate: MembershipCertificate;
      readonly said: HandshakePayload;
      readonly expired: boolean;
    }
  /** Somebody with a claim. */
  | {
      readonly kind: 'join';
      readonly networkKey: string;
      readonly claimId: Uint8Array;
      readonly staticKey: Uint8Array;
      readonly source: SocketAddress;
    }
  /** Somebody with an operator token, who wants to create a network. */
  | { readonly kind: 'operator'; readonly source: SocketAddress };

/** The network id of an operator's call: there is none yet. */
export const NO_NETWORK: Uint8Array = new Uint8Array(16);
