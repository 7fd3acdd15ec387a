import type { Entry, StatusCode, StatusMessage, WireValue } from '@coconet/capabilities';
import { isSuccess, isTerminal } from '@coconet/capabilities';
import {
  after,
  type Duration,
  earliest,
  type Instant,
  milliseconds,
  minutes,
  seconds,
} from '@coconet/cluster-protocol';
import type { LateOutcome, Progress } from './resource.js';

/** After a sent command was called off, the device has this long to say whether it had begun. */
const CANCEL_PATIENCE: Duration = seconds(2);
/** When the NMN says that a device is away, addresses remembered of it have this long to prove the contrary. */
const AWAY_GRACE: Duration = seconds(2);
/** How long the truth about a command whose outcome was unknown is waited for, and of how many commands. */
const LATE_PATIENCE: Duration = minutes(10);
const MAX_LATE = 1_024;

/** What became of something that was asked of a device. */
export interface Outcome {
  readonly code: StatusCode;
  /** The device said so; `false`: our own side. */
  readonly answered: boolean;
  readonly response?: readonly WireValue[];
  /** Of a read. */
  readonly entries?: readonly Entry[];
  /** The parameter that was wrong. */
  readonly field?: string;
  /** A sentence for people. */
  readonly message?: string;
}

/** Something that was asked of a device and is not over. */
export interface CallStart {
  readonly peer: number;
  /** The message that carries it. */
  readonly sequence: number;
  /** `undefined`: a command, which is answered by its message's id; else a read or an info request, which runs nothing. */
  readonly requestId: number | undefined;
  /** It was sent as something that must not run twice. */
  readonly once: boolean;
  /** `undefined`: it waits for ever. */
  readonly deadline: Instant | undefined;
  /** There was a session when it was handed over, so that it may have left at once. */
  readonly connected: boolean;
  readonly settle: (outcome: Outcome) => void;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly onLateOutcome?: ((outcome: LateOutcome) => void) | undefined;
}

/** What is known of the lives of a device's memory that a command may have gone to. */
interface Trail {
  readonly peer: number;
  readonly once: boolean;
  /** The first one. */
  sentTo: string | undefined;
  /** It may have run in a life that the device, as it is now, does not remember. */
  doubtful: boolean;
}

interface Call extends CallStart, Trail {
  /** Some of it may have reached the device. */
  maybeSent: boolean;
  /** The life of the device's memory that has it. */
  deliveredTo: string | undefined;
  cancelling: boolean;
  /** When it is given up if there is no session by then, and why. */
  away: { readonly at: Instant; readonly text: string } | undefined;
  deadline: Instant | undefined;
}

interface Late extends Trail {
  readonly until: Instant;
  readonly onLateOutcome: (outcome: LateOutcome) => void;
}

/** What the calls want done. */
export interface CallVerbs {
  /** Stops sending a message; whether any of it may have left, `undefined`: it was over already. */
  withdraw(peer: number, sequence: number): boolean | undefined;
  /** The device has a message, as its answer proves. */
  received(peer: number, sequence: number): void;
  /** Tells the device that a command is not wanted any more. */
  sendCancel(peer: number, sequence: number, expiresIn: Duration): void;
}

/**
 * Everything that was asked of devices and is not over, as a pure machine. Each call settles once, with what is known to
 * be true: `expired`, `deviceUnreachable` and `cancelled` only if nothing of it ever left, or the device says so.
 */
export class CommandCalls {
  readonly #verbs: CallVerbs;
  readonly #bySequence = new Map<string, Call>();
  readonly #byRequest = new Map<string, Call>();
  readonly #late = new Map<string, Late>();
  /** In which life the memory of each device is. */
  readonly #inboxes = new Map<number, string>();

  constructor(verbs: CallVerbs) {
    this.#verbs = verbs;
  }

  /** Calls that are not over. */
  get size(): number {
    return this.#bySequence.size;
  }

  /** Something was handed over to be sent. */
  start(start: CallStart): void {
    const call: Call = {
      ...start,
      maybeSent: start.connected,
      sentTo: start.connected ? this.#inboxes.get(start.peer) : undefined,
      doubtful: false,
      deliveredTo: undefined,
      cancelling: false,
      away: undefined,
    };
    this.#bySequence.set(key(call.peer, call.sequence), call);
    if (call.requestId !== undefined) this.#byRequest.set(key(call.peer, call.requestId), call);
  }

  /** The program does not want it any more. */
  abort(now: Instant, peer: number, sequence: number): void {
    const call = this.#bySequence.get(key(peer, sequence));
    if (!call || call.cancelling) return;
    this.#withdraw(call);
    if (!call.maybeSent || call.requestId !== undefined) {
      this.#settle(now, call, ours('cancelled', 'it was called off before it was sent'));
      return;
    }
    this.#verbs.sendCancel(peer, sequence, CANCEL_PATIENCE);
    const patience = after(now, CANCEL_PATIENCE);
    call.deadline = call.deadline === undefined || call.deadline > patience ? patience : call.deadline;
  }

  /** The device has the message. */
  handleDelivered(peer: number, sequence: number): void {
    const call = this.#bySequence.get(key(peer, sequence));
    if (call) call.deliveredTo = this.#inboxes.get(peer);
  }

  /** The message is not sent any more. */
  handleUndelivered(now: Instant, peer: number, sequence: number, sent: boolean, reason: string): void {
    const call = this.#bySequence.get(key(peer, sequence));
    if (!call || call.cancelling) return;
    if (reason === 'revoked' && !sent)
      this.#settle(now, call, ours('deviceUnreachable', 'the device is no member of the network any more'));
    else this.#giveUp(now, call, sent);
  }

  /** There is a session with the device, whose memory is in this life. */
  handleConnected(peer: number, inbox: string): void {
    this.#inboxes.set(peer, inbox);
    for (const trail of this.#trailsOf(peer)) {
      trail.sentTo ??= inbox;
      if (trail.sentTo !== inbox) trail.doubtful = true;
    }
    for (const call of this.#of(peer)) {
      call.maybeSent = true;
      call.away = undefined;
    }
  }

  /** The device remembers what it acknowledged before it was restarted, save perhaps what may run twice. */
  handleMemoryKept(peer: number): void {
    const inbox = this.#inboxes.get(peer);
    for (const trail of this.#trailsOf(peer)) {
      if (!trail.once) continue;
      trail.sentTo = inbox;
      trail.doubtful = false;
    }
    for (const call of this.#of(peer)) if (call.deliveredTo !== undefined) call.deliveredTo = inbox;
  }

  /**
   * The device does not remember what it received before it was restarted. `undecided`: messages that may have been among
   * it; none of them is sent again, because what they carry must not run twice.
   */
  handleMemoryLost(now: Instant, peer: number, undecided: readonly number[]): void {
    const open = new Set(undecided);
    for (const call of this.#of(peer)) {
      const isOpen = open.delete(call.sequence);
      const isForgotten = call.deliveredTo !== undefined && call.deliveredTo !== this.#inboxes.get(peer);
      if (!isOpen && !isForgotten) continue;
      if (isOpen) this.#withdraw(call);
      const text = isOpen
        ? 'the device lost its memory (its store was lost, damaged or put back) while this was on its way'
        : 'the device lost its memory (its store was lost, damaged or put back) before it answered';
      this.#settle(now, call, this.#unknown(call, text));
    }
    for (const sequence of open) this.#verbs.withdraw(peer, sequence); // Nobody waits for its end.
  }

  /** The device cannot be reached. `certain`: it was tried to the end; else somebody says so. */
  handleUnreachable(now: Instant, peer: number, text: string, certain: boolean): void {
    for (const call of this.#of(peer)) {
      if (call.maybeSent) continue;
      if (certain) this.#unreachable(now, call, text);
      else call.away ??= { at: after(now, AWAY_GRACE), text };
    }
  }

  /** The device says what became of a command of ours. */
  handleStatus(now: Instant, peer: number, status: StatusMessage): void {
    const id = key(peer, status.sequence);
    const call = this.#bySequence.get(id);
    if (call && call.requestId === undefined) {
      if (call.deliveredTo === undefined) this.#verbs.received(peer, status.sequence);
      if (isTerminal(status.code))
        this.#settle(
          now,
          call,
          cannotKnow(call, status) ? this.#unknown(call, RAN_BEFORE) : answered(status),
        );
      else call.onProgress?.({ progress: status.progress, message: status.message });
      return;
    }
    const late = this.#late.get(id);
    if (!late || !isTerminal(status.code) || cannotKnow(late, status)) return;
    this.#late.delete(id);
    late.onLateOutcome({ status: status.code, message: status.message });
  }

  /** The device answers a read or an info request. False: nobody waits for it. */
  handleAnswer(now: Instant, peer: number, requestId: number, outcome: Outcome): boolean {
    const call = this.#byRequest.get(key(peer, requestId));
    if (call) this.#settle(now, call, outcome);
    return call !== undefined;
  }

  /** Early and repeated calls are harmless. */
  handleTimeout(now: Instant): void {
    for (const call of [...this.#bySequence.values()]) {
      if (call.deadline !== undefined && call.deadline <= now) {
        const { cancelling } = call;
        if (!cancelling) this.#withdraw(call);
        call.cancelling = cancelling;
        this.#giveUp(now, call, call.maybeSent);
      } else if (call.away !== undefined && call.away.at <= now) this.#unreachable(now, call, call.away.text);
    }
    for (const [id, { until }] of this.#late) if (until <= now) this.#late.delete(id);
  }

  /** When {@link handleTimeout} is due. */
  pollTimeout(): Instant | undefined {
    let first: Instant | undefined;
    for (const { deadline, away } of this.#bySequence.values())
      first = earliest(first, earliest(deadline, away?.at));
    return first;
  }

  /** Nothing will be heard any more. */
  close(now: Instant, message: string): void {
    for (const call of [...this.#bySequence.values()]) {
      this.#withdraw(call);
      const isCertain = !call.maybeSent || call.requestId !== undefined;
      this.#settle(now, call, isCertain ? ours('cancelled', message) : this.#unknown(call, message));
    }
    this.#late.clear();
  }

  #unreachable(now: Instant, call: Call, text: string): void {
    this.#withdraw(call);
    if (call.maybeSent) this.#giveUp(now, call, true);
    else this.#settle(now, call, ours('deviceUnreachable', `the device cannot be reached: ${text}`));
  }

  #withdraw(call: Call): void {
    call.cancelling = true;
    if (this.#verbs.withdraw(call.peer, call.sequence) === true) call.maybeSent = true;
  }

  /** Its time is over. */
  #giveUp(now: Instant, call: Call, sent: boolean): void {
    if (call.requestId !== undefined)
      this.#settle(
        now,
        call,
        sent
          ? ours('timeout', 'the device did not answer in time')
          : ours('deviceUnreachable', call.away?.text ?? 'there was no session with the device in time'),
      );
    else if (!sent)
      this.#settle(
        now,
        call,
        ours(
          'expired',
          `its time was over before it could be sent${call.away ? ` (${call.away.text})` : ''}`,
        ),
      );
    else {
      const state =
        call.deliveredTo !== undefined
          ? 'the device has it, but did not answer'
          : 'the device did not confirm it';
      this.#settle(
        now,
        call,
        this.#unknown(call, `${state} ${call.cancelling ? 'when it was called off' : 'in time'}`),
      );
    }
  }

  #unknown(call: Call, message: string): Outcome {
    return ours(call.requestId === undefined ? 'outcomeUnknown' : 'timeout', message);
  }

  #settle(now: Instant, call: Call, outcome: Outcome): void {
    const id = key(call.peer, call.sequence);
    this.#bySequence.delete(id);
    if (call.requestId !== undefined) this.#byRequest.delete(key(call.peer, call.requestId));
    const { onLateOutcome } = call;
    if (outcome.code === 'outcomeUnknown' && !outcome.answered && onLateOutcome) {
      if (this.#late.size >= MAX_LATE) this.#late.delete(this.#late.keys().next().value!);
      const { peer, once, sentTo, doubtful } = call;
      const until = after(now, LATE_PATIENCE);
      this.#late.set(id, { until, onLateOutcome, peer, once, sentTo, doubtful });
    }
    call.settle(outcome);
  }

  #trailsOf(peer: number): readonly Trail[] {
    return [...this.#bySequence.values(), ...this.#late.values()].filter(trail => trail.peer === peer);
  }

  #of(peer: number): readonly Call[] {
    return [...this.#bySequence.values()].filter(call => call.peer === peer);
  }
}

/** Until when something with a timeout is waited for. */
export const deadlineOf = (now: Instant, timeout: number): Instant | undefined =>
  timeout === Infinity ? undefined : after(now, milliseconds(timeout));

const RAN_BEFORE =
  'the device did not run it, but may have done so before it was restarted, which it does not remember';

/** Whether a status says that the command did not run, and the device cannot know. */
const cannotKnow = ({ doubtful }: Trail, { code }: StatusMessage): boolean =>
  doubtful && !isSuccess(code) && code !== 'failure' && code !== 'outcomeUnknown';

const key = (peer: number, number: number): string => `${peer}:${number}`;

const ours = (code: StatusCode, message: string): Outcome => ({ code, answered: false, message });

const answered = ({ code, response, field, message }: StatusMessage): Outcome => ({
  code,
  answered: true,
  ...(response !== undefined && { response }),
  ...(field !== undefined && { field }),
  ...(message !== undefined && { message }),
});
