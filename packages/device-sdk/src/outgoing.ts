import type { DeviceMessage } from '@coconet/capabilities';

/**
 * A message that one of the device's servers wants sent. Messages of one lane (a subscription, the descriptions of a
 * peer) leave one at a time: the next one only when the last has arrived. So they arrive in order, though the transport
 * keeps none, and whoever reads slowly gets the newest values instead of a queue of old ones. They end with the session.
 */
export interface Outgoing {
  readonly peer: number;
  readonly message: DeviceMessage;
  /** Takes the place of an older message of the same lane that is still on its way; `undefined`: of none. */
  readonly lane: string | undefined;
  /** It has arrived, or never will. */
  readonly settled: (delivered: boolean) => void;
}
