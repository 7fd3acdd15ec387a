import { type DropCounters, type Instant, milliseconds } from '../base/index.js';
import { CONTROL_WINDOW, DATA_HEADER, FrameReader, FrameType } from '../wire/index.js';
import type { AckTracker } from './ack-tracker.js';
import type { EventQueue } from './event-queue.js';
import type { FrameCounts } from './frame-counts.js';
import type { MessageQueue } from './message-queue.js';
import type { PathSteering } from './path-steering.js';
import type { Reassembler } from './reassembler.js';
import { ReplayWindow } from './replay-window.js';
import type { Rekey } from './rekey.js';
import type { SessionPath } from './session-path.js';
import type { SessionStreams } from './session-streams.js';

/** What frames change about the session as a whole. */
export interface IntakeSession {
  isOpen(): boolean;
  streams(): SessionStreams;
  rekey(): Rekey | undefined;
  /** Something of ours was acknowledged for the first time. */
  acknowledged(now: Instant): void;
  /** The peer closed. */
  closed(code: number, reason: string): void;
  /** The peer broke a rule. */
  violated(now: Instant, reason: string): void;
}

/** Who takes which frames. */
export interface IntakeParts {
  readonly acks: AckTracker;
  readonly steering: PathSteering;
  readonly reassembler: Reassembler;
  readonly messages: MessageQueue;
  readonly events: EventQueue;
  readonly drops: DropCounters;
  readonly counts: FrameCounts;
  readonly session: IntakeSession;
}

/** One for all sessions: whoever takes a frame says what follows in events, so nothing else is read meanwhile. */
const reader = new FrameReader();

/** Gives each frame of a packet, which was inspected and is authentic, to whom it concerns. */
export class PacketIntake {
  readonly #parts: IntakeParts;
  /** Made with the first frame of its kind. */
  #controlSeen: ReplayWindow | undefined;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  /** Takes the frames up to `end`, as long as the session is open. `path`: where they came, if that is known. */
  take(now: Instant, packet: Uint8Array, end: number, path: SessionPath | undefined): void {
    const { acks, counts, events, messages, reassembler, session } = this.#parts;
    reader.reset(packet, DATA_HEADER, end);
    while (reader.next() && session.isOpen()) {
      counts.count(reader.type);
      switch (reader.type) {
        case FrameType.ack:
          this.#takeAck(now);
          break;
        case FrameType.ackFrequency:
          acks.request(now, reader.ackRequest, reader.ackEvery, milliseconds(reader.ackDelay));
          break;
        case FrameType.immediateAck:
          acks.hasten(now);
          break;
        case FrameType.firstFragment:
        case FrameType.fragment:
          this.#takeFragment(now);
          break;
        case FrameType.messageGrant:
          messages.granted(reader.sequence);
          break;
        case FrameType.messageRepeat:
          messages.repeat(reader.sequence);
          break;
        case FrameType.messageAbandon:
          reassembler.abandon(reader.sequence, reader.floor);
          break;
        case FrameType.datagram:
          events.push({ kind: 'datagram', service: reader.service, bytes: new Uint8Array(reader.data) });
          break;
        case FrameType.control:
          this.#takeControl();
          break;
        case FrameType.rekeyOffer:
        case FrameType.rekeyAnswer:
          this.#takeRekey(now);
          break;
        case FrameType.pathChallenge:
          path?.validation.owe(reader.challengeHigh, reader.challengeLow);
          break;
        case FrameType.pathResponse:
          this.#takeResponse(now, path);
          break;
        case FrameType.close:
          session.closed(reader.closeCode, reader.closeReason);
          break;
        default:
          // A ping asks for an ack alone; unknown frames of a later version are skipped.
          if (reader.type >= FrameType.streamOpen && reader.type <= FrameType.streamStop)
            this.#takeStream(now);
      }
    }
  }

  #takeAck(now: Instant): void {
    const { acks, steering, session } = this.#parts;
    const outcome = steering.recovery.acknowledge(now, reader);
    if (outcome.packets === 0) return;
    session.acknowledged(now);
    if (outcome.confirmed >= 0) acks.confirm(outcome.confirmed);
  }

  #takeFragment(now: Instant): void {
    const { reassembler, drops, events } = this.#parts;
    const taken = reassembler.take(now, reader);
    if (typeof taken === 'string') drops.count(taken);
    else if (taken !== undefined) {
      // Spelled out: a spread would make two objects for every message.
      const { sequence, service, bytes } = taken;
      events.push({ kind: 'message', sequence, floor: reassembler.floor, service, bytes });
    }
  }

  #takeStream(now: Instant): void {
    const { session } = this.#parts;
    const broken = session.streams().take(now, reader);
    if (broken !== undefined) session.violated(now, broken);
  }

  #takeRekey(now: Instant): void {
    const { drops, session } = this.#parts;
    const { type, generation, data } = reader;
    const rekey = session.rekey();
    const taken =
      type === FrameType.rekeyOffer
        ? rekey?.takeOffer(now, generation, data)
        : rekey?.takeAnswer(now, generation, data);
    if (taken !== true) drops.count('unexpected');
  }

  #takeControl(): void {
    const { drops, events } = this.#parts;
    const { controlNumber, controlType, data } = reader;
    this.#controlSeen ??= new ReplayWindow(CONTROL_WINDOW);
    if (this.#controlSeen.verdict(controlNumber) !== 'fresh') {
      drops.count('duplicateMessage');
      return;
    }
    this.#controlSeen.mark(controlNumber);
    events.push({ kind: 'control', type: controlType, bytes: new Uint8Array(data) });
  }

  #takeResponse(now: Instant, path: SessionPath | undefined): void {
    const { drops, steering } = this.#parts;
    const { challengeHigh, challengeLow } = reader;
    if (path === undefined || !steering.answered(now, path, challengeHigh, challengeLow))
      drops.count('unexpected');
  }
}
