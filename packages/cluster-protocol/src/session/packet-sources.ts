import type { AckFrequency } from './ack-frequency.js';
import type { AckTracker } from './ack-tracker.js';
import type { ControlQueue } from './control-queue.js';
import type { DatagramQueue } from './datagram-queue.js';
import type { MessageControl } from './message-control.js';
import type { MessageQueue } from './message-queue.js';
import type { PathTable } from './path-table.js';
import type { Rekey } from './rekey.js';
import type { SessionStreams } from './session-streams.js';

/** Where a packet's frames come from. */
export interface PacketSources {
  readonly acks: AckTracker;
  readonly ackFrequency: AckFrequency;
  readonly control: ControlQueue;
  readonly datagrams: DatagramQueue;
  readonly messages: MessageQueue;
  readonly messageControl: MessageControl;
  /** Undefined until the first stream. */
  streams: SessionStreams | undefined;
  /** Undefined where the keys are never changed. */
  rekey: Rekey | undefined;
}

/** Whether something of the layers above may go now. */
export function hasData({ datagrams, control, messages, messageControl, streams }: PacketSources): boolean {
  return (
    datagrams.size > 0 ||
    control.sendable ||
    messages.sendable ||
    messageControl.due ||
    streams?.sendable === true
  );
}

/** Whether anything waits for the peer: to be sent, or in flight on one of `paths`. */
export function awaitsPeer(sources: PacketSources, paths: PathTable): boolean {
  const { control, datagrams, messages, rekey, streams } = sources;
  if (messages.size > 0 || control.size > 0 || datagrams.size > 0) return true;
  if (streams?.sendable === true || rekey?.pending === true) return true;
  for (let i = 0; i < paths.size; i++) if (paths.at(i).packetsInFlight > 0) return true;
  return false;
}
