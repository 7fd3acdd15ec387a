import type { DeviceMessage } from '@coconet/capabilities';
import type { Instant } from '@coconet/cluster-protocol';

/**
 * A message that one of the device's servers wants sent. Messages of one lane (a subscription, the descriptions of a
 * peer) leave one at a time: the next one only when the last has arrived. So they arrive in order, though the transport
 * keeps none, and whoever reads slowly gets the newest values instead of a queue of old ones.
 */
export interface Outgoing {
  readonly peer: number;
  readonly message: DeviceMessage;
  /** It has arrived, or never will. */
  settled(now: Instant, delivered: boolean): void;
}
