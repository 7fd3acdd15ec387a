import { encodeMessage } from '@coconet/capabilities';
import type { AskMessage, CancelMessage, CommandMessage, StatusMessage } from '@coconet/capabilities';
import { fromHex, milliseconds, seconds, toHex } from '@coconet/cluster-protocol';
import type { Duration, Instant } from '@coconet/cluster-protocol';
import type { Access } from './access.js';
import type { CommandContext } from './command-context.js';
import type { CommandId, CommandLedger } from './command-ledger.js';
import { judgeCommand, judgeQuestion, outcomeOf, sentence } from './command-verdict.js';
import type { Outcome, Task } from './command-verdict.js';
import type { Courier } from './courier.js';
import type { DeviceTree } from './device-tree.js';

/** Handlers of one sender that run at the same time. */
const MAX_RUNNING_PER_PEER = 64;

/** Handlers that run at the same time. */
const MAX_RUNNING = 512;

/** A handler that runs for longer no longer counts as busy (catalogue, section 1.3: `busyTimeoutMs`). */
const BUSY_TIMEOUT: Duration = seconds(60);

/** A status is offered for at least this long after the sender has stopped waiting: it still wants the truth. */
const STATUS_PATIENCE: Duration = seconds(60);

/** Progress and answers that are older are of no use to anybody. */
const ANSWER_PATIENCE: Duration = seconds(30);

/** After a reconnect an interrupted command that is idempotent may still come again; then its end is told. */
const INTERRUPTED_PATIENCE: Duration = seconds(3);

/** What the router uses of the device. */
export interface RouterSurroundings {
  readonly tree: DeviceTree;
  readonly access: Access;
  readonly ledger: CommandLedger;
  readonly courier: Courier;
  readonly now: () => Instant;
  readonly schedule: (delay: Duration, action: () => void) => () => void;
  /** Something the device's own program should know. */
  readonly notice: (text: string) => void;
}

/** A command or info request under way. */
interface Call {
  readonly peer: number;
  readonly task: Task;
  readonly controller: AbortController;
  readonly since: Instant;
  /** ms; 0 = the sender waits for ever. */
  readonly timeoutMs: number;
  started: boolean;
  cancelled: boolean;
}

const nameOf = ({ peer, incarnation, sequence }: CommandId): string => `${peer}/${incarnation}/${sequence}`;

/** Takes commands and info requests, has them handled once, and sends what became of them. */
export class CommandRouter {
  readonly #around: RouterSurroundings;
  readonly #running = new Map<string, Call>();
  /** Commands whose last status is on its way. */
  readonly #sending = new Set<string>();
  /** Per peer with interrupted commands: when their end is told. */
  readonly #timers = new Map<number, () => void>();
  readonly #ends = new Set<Promise<void>>();
  #questions = 0;
  #closed = false;

  constructor(around: RouterSurroundings) {
    this.#around = around;
  }

  /** Commands and info requests under way. */
  get size(): number {
    return this.#running.size;
  }

  /** A command, for the first time in this process. */
  handleCommand(id: CommandId, message: CommandMessage): void {
    if (this.#closed || this.#running.has(nameOf(id))) return;
    const { tree, access, ledger } = this.#around;
    const known = ledger.find(id);
    if (known?.kind === 'finished') {
      if (known.status !== undefined) this.#sendStored(id, known.status, message.timeoutMs);
      return;
    }
    const verdict = judgeCommand(tree, access.of(id.peer), message);
    if (known?.kind === 'interrupted' && !(verdict.ok && verdict.task.idempotent)) {
      this.#finish(id, INTERRUPTED, message.timeoutMs);
      return;
    }
    if (!verdict.ok) {
      this.#refuse(id, verdict.outcome, message.timeoutMs);
      return;
    }
    if (this.#isBusy(id.peer)) {
      this.#refuse(id, BUSY, message.timeoutMs);
      return;
    }
    const call = this.#call(id.peer, verdict.task, message.timeoutMs);
    this.#running.set(nameOf(id), call);
    this.#track(this.#execute(id, call, message));
  }

  /** The sender takes a command back. */
  handleCancel(peer: number, { incarnation, sequence }: CancelMessage): void {
    const id: CommandId = { peer, incarnation: toHex(incarnation), sequence };
    const call = this.#running.get(nameOf(id));
    if (call !== undefined) {
      call.cancelled = true;
      call.controller.abort(new Error('cancelled by the sender'));
      return;
    }
    // It may have overtaken its command, which then must not run any more.
    if (this.#around.ledger.find(id) === undefined) this.#refuse(id, CANCELLED, 0);
  }

  /** An info request. */
  handleAsk(peer: number, message: AskMessage): void {
    if (this.#closed) return;
    const { requestId } = message;
    const verdict = judgeQuestion(this.#around.tree, this.#around.access.of(peer), message);
    if (!verdict.ok || this.#isBusy(peer)) {
      this.#answer(peer, requestId, verdict.ok ? BUSY : verdict.outcome);
      return;
    }
    const call = this.#call(peer, verdict.task, message.timeoutMs);
    const name = `question ${++this.#questions}`;
    this.#running.set(name, call);
    this.#track(
      this.#run(call, () => undefined).then(outcome => {
        this.#running.delete(name);
        this.#answer(peer, requestId, outcome);
      }),
    );
  }

  /** There is a session with the peer: what it could not be told before it is told now. */
  handleConnected(peer: number): void {
    const { ledger, schedule } = this.#around;
    let interrupted = false;
    for (const { id, entry } of ledger.unsettled(peer)) {
      if (entry.kind === 'finished' && entry.status !== undefined) this.#sendStored(id, entry.status, 0);
      interrupted ||= entry.kind === 'interrupted';
    }
    if (!interrupted) return;
    this.#timers.get(peer)?.();
    const callOff = schedule(INTERRUPTED_PATIENCE, () => {
      this.#timers.delete(peer);
      for (const { id, entry } of ledger.unsettled(peer))
        if (entry.kind === 'interrupted') this.#finish(id, INTERRUPTED, 0);
    });
    this.#timers.set(peer, callOff);
  }

  /** Aborts what runs. Resolves when all of it has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const callOff of this.#timers.values()) callOff();
    for (const { controller } of this.#running.values())
      controller.abort(new Error('the device is shutting down'));
    await Promise.all(this.#ends);
  }

  async #execute(id: CommandId, call: Call, message: CommandMessage): Promise<void> {
    const { task, controller } = call;
    const outcome = await this.#started(id, call, message);
    if (outcome !== undefined) {
      this.#running.delete(nameOf(id));
      this.#refuse(id, outcome, message.timeoutMs);
      return;
    }
    const end = await this.#run(call, (percent, text) => this.#progress(id, call, percent, text));
    this.#running.delete(nameOf(id));
    // A handler that stopped half-way because it was told to has not been refused: it has failed.
    const stopped = call.cancelled && controller.signal.aborted && end.code === 'failure';
    this.#finish(
      id,
      stopped
        ? { code: 'failure', message: `${task.label} was stopped because its sender cancelled it` }
        : end,
      message.timeoutMs,
    );
  }

  /** Waits for its turn and for the ledger. An outcome: it must not run. */
  async #started(id: CommandId, call: Call, message: CommandMessage): Promise<Outcome | undefined> {
    const { ledger, notice, now } = this.#around;
    const { task, controller } = call;
    const recorded = ledger.start(id).then(
      () => true,
      (error: unknown) => {
        notice(`commands cannot be recorded in the store: ${String(error)}`);
        return false;
      },
    );
    // What may run twice need not wait for the disk.
    const turn = task.resource.turn.then(() => (task.idempotent ? true : recorded));
    task.resource.turn = turn;
    if (!(await turn))
      return { code: 'failure', message: 'the device cannot write to its store and does not run commands' };
    if (call.cancelled) return CANCELLED;
    if (controller.signal.aborted) return CLOSING;
    if (message.expiresInMs !== undefined && now() - call.since >= message.expiresInMs) return EXPIRED;
    call.started = true;
    return undefined;
  }

  async #run(call: Call, progress: CommandContext['progress']): Promise<Outcome> {
    const { task, peer, controller } = call;
    const { nodeId, name, kind, user, role } = this.#around.access.of(peer);
    if (role === 'none') return { code: 'permissionDenied' };
    try {
      const response = await task.run({
        sender: { nodeId, name, kind, user },
        role,
        signal: controller.signal,
        progress,
      });
      return { code: 'success', ...(response !== undefined && { response }) };
    } catch (error) {
      const outcome = outcomeOf(error);
      if (outcome !== undefined) return outcome;
      // What went wrong inside is for the device's own program; the sender learns that it did.
      if (!controller.signal.aborted)
        this.#around.notice(
          `${task.label} failed: ${error instanceof Error ? error.message : String(error)}`,
        );
      return { code: 'failure', message: `the device tried ${task.label} and failed` };
    }
  }

  #call(peer: number, task: Task, timeoutMs: number): Call {
    return {
      peer,
      task,
      controller: new AbortController(),
      since: this.#around.now(),
      timeoutMs,
      started: false,
      cancelled: false,
    };
  }

  #isBusy(peer: number): boolean {
    if (this.#running.size < MAX_RUNNING_PER_PEER) return false;
    const now = this.#around.now();
    const counted = [...this.#running.values()].filter(
      ({ since, timeoutMs }) => now - since < Math.max(BUSY_TIMEOUT, timeoutMs),
    );
    return (
      counted.length >= MAX_RUNNING ||
      this.#running.size >= 2 * MAX_RUNNING ||
      counted.filter(call => call.peer === peer).length >= MAX_RUNNING_PER_PEER
    );
  }

  #progress(id: CommandId, call: Call, percent: number, text: string | undefined): void {
    if (this.#closed || this.#running.get(nameOf(id)) !== call) return;
    const progress = Number.isFinite(percent) ? Math.min(100, Math.max(0, percent)) : undefined;
    const message = statusOf(id, {
      code: 'inProgress',
      ...(text !== undefined && { message: sentence(text) }),
    });
    this.#around.courier.send(
      id.peer,
      progress === undefined ? message : { ...message, progress },
      { key: `progress:${nameOf(id)}`, expiresIn: ANSWER_PATIENCE },
      () => undefined,
    );
  }

  /** It has not run: that is recorded before anybody is told, so that it never will. */
  #refuse(id: CommandId, outcome: Outcome, timeoutMs: number): void {
    const { ledger, notice } = this.#around;
    const { status, bare } = encode(id, outcome);
    this.#track(
      ledger.finish(id, status, bare).then(
        () => this.#sendStored(id, status, timeoutMs),
        (error: unknown) => {
          notice(`a refused command cannot be recorded in the store: ${String(error)}`);
          this.#sendStored(id, status, timeoutMs);
        },
      ),
    );
  }

  #finish(id: CommandId, outcome: Outcome, timeoutMs: number): void {
    const { ledger, notice } = this.#around;
    const { status, bare } = encode(id, outcome);
    this.#track(
      ledger.finish(id, status, bare).catch((error: unknown) => {
        notice(`the end of a command cannot be recorded in the store: ${String(error)}`);
      }),
    );
    this.#sendStored(id, status, timeoutMs);
  }

  #sendStored(id: CommandId, status: Uint8Array, timeoutMs: number): void {
    const name = nameOf(id);
    if (this.#sending.has(name)) return;
    this.#sending.add(name);
    const options = { expiresIn: milliseconds(timeoutMs + STATUS_PATIENCE), priority: 3 };
    this.#around.courier.sendBytes(id.peer, status, options, delivered => {
      this.#sending.delete(name);
      if (delivered) this.#around.ledger.acknowledge(id);
    });
  }

  #answer(peer: number, requestId: number, outcome: Outcome): void {
    const { code, response, field, message } = outcome;
    const { courier, notice } = this.#around;
    const send = (content: Outcome): void =>
      courier.send(
        peer,
        { type: 'answer', requestId, code: content.code, ...present(content) },
        { expiresIn: ANSWER_PATIENCE },
        () => undefined,
      );
    try {
      send({ code, response, field, message });
    } catch (error) {
      notice(`an answer cannot be sent: ${String(error)}`);
      send(TOO_LARGE);
    }
  }

  #track(end: Promise<void>): void {
    this.#ends.add(end);
    void end.finally(() => this.#ends.delete(end));
  }
}

const INTERRUPTED: Outcome = {
  code: 'outcomeUnknown',
  message: 'the device was restarted while it ran this command',
};
const BUSY: Outcome = { code: 'busy', message: 'the device runs as many commands as it can; try again' };
const CANCELLED: Outcome = { code: 'cancelled', message: 'it was taken back before it began' };
const CLOSING: Outcome = { code: 'rejected', message: 'the device is shutting down' };
const EXPIRED: Outcome = { code: 'expired', message: 'its time was over before it could begin' };
const TOO_LARGE: Outcome = { code: 'failure', message: 'the answer is larger than a message may be' };

const present = ({
  response,
  field,
  message,
}: Outcome): Omit<StatusMessage, 'type' | 'incarnation' | 'sequence' | 'code'> => ({
  ...(response !== undefined && { response }),
  ...(field !== undefined && { field }),
  ...(message !== undefined && { message: sentence(message) }),
});

const statusOf = ({ incarnation, sequence }: CommandId, outcome: Outcome): StatusMessage => ({
  type: 'status',
  incarnation: fromHex(incarnation) ?? new Uint8Array(8),
  sequence,
  code: outcome.code,
  ...present(outcome),
});

/** The status as it is sent, and without its response. */
function encode(id: CommandId, outcome: Outcome): { readonly status: Uint8Array; readonly bare: Uint8Array } {
  const bare = encodeMessage(statusOf(id, { code: outcome.code }));
  try {
    return { status: encodeMessage(statusOf(id, outcome)), bare };
  } catch {
    // It ran; only what it has to say does not fit into a message.
    const message = 'done, but the response is larger than a message may be';
    return { status: encodeMessage(statusOf(id, { code: outcome.code, message })), bare };
  }
}
