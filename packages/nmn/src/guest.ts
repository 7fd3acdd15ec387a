import type { Instant } from '@coconet/cluster-protocol/core';

import { TokenBucket } from './limits/token-bucket.js';
import type { NmnPeer } from './membership/admission-policy.js';
import { SessionMail } from './session-mail.js';

/** Requests of one session: an owner's tool makes a batch of invitations at once; each costs a flush of the disk. */
const REQUEST_RATE = { perSecond: 10, capacity: 100 };

/** Somebody with a session: a member, or somebody who wants to become one. */
export class Guest {
  readonly peer: NmnPeer;
  readonly mail: SessionMail = new SessionMail();
  readonly requests: TokenBucket;
  /** Key of the address last told to the node. */
  told = '';
  /** It is no member any more, and may hear so until then. */
  leavesAt: Instant | undefined;

  constructor(peer: NmnPeer, now: Instant) {
    this.peer = peer;
    this.requests = new TokenBucket(REQUEST_RATE, now);
  }
}
