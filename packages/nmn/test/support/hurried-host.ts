import { type Duration, milliseconds } from '@coconet/cluster-protocol/core';

import { ForwardingHost } from './forwarding-host.js';

/** The longest that anything waits. */
const SOON = 5;

/** A host on which nobody waits long before trying again, so that tests need not either. */
export class HurriedHost extends ForwardingHost {
  override schedule(delay: Duration, action: () => void): () => void {
    return super.schedule(milliseconds(Math.min(delay, SOON)), action);
  }
}
