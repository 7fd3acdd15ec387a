/**
 * Who a message is for. Every message names one of these numbers; packages register a handler for a number and the
 * core knows nothing of what it carries (docs/spec/05-network.md, section 1). Numbers are never reused.
 */
export const SERVICES = {
  /** Heads and records of the network state, between any two members. */
  networkState: 1,
  /** Reserved: admission by an owner's client in sealed networks. */
  membership: 2,
  /** Requests of a node to its NMN: joining, renewing, inviting, revoking. */
  management: 3,
  /** Introductions, candidates and relay leases. */
  rendezvous: 4,
  /** Attributes, commands, subscriptions. */
  capability: 5,
  /** Named JSON documents in two halves. */
  documents: 6,
  files: 7,
  tunnel: 8,
  mailbox: 9,
} as const;

/** The name of a service of ours. */
export type ServiceName = keyof typeof SERVICES;

/** First number that vendors may use for services of their own, up to {@link LAST_SERVICE}. */
export const FIRST_VENDOR_SERVICE = 0x8000;

/** The highest service number. */
export const LAST_SERVICE = 0xffff;
