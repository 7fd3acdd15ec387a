import { DropCounters, earliest, instant, milliseconds, type Instant } from '../../src/base/index.js';
import {
  Session,
  type PathStatistics,
  type SessionConfig,
  type SessionStatistics,
} from '../../src/session/index.js';
import { AuthenticatingProvider } from '../../src/testing/authenticating-provider.js';
import { SimulatedPipe, type LinkConditions } from '../../src/testing/link-conditions.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { Timeline, type SimulatedSleeper } from '../../src/testing/timeline.js';
import { MAX_DATAGRAM } from '../../src/wire/index.js';

/** IPv4 and UDP headers: the link counts them, too. */
const HEADERS = 28;

/** A message of a bulk flow fits one packet; so many are under way at once that the window is what limits. */
const MESSAGE = 1_140;
const MESSAGES_UNDER_WAY = 1_000;

export interface BottleneckOptions {
  readonly seed?: number;
  /** What the data meets; acks come back over a link of the same delay without any limit. */
  readonly link: Partial<LinkConditions>;
  readonly config?: Partial<SessionConfig>;
}

/** A session that sends messages over a shared bottleneck, and the one that receives them. */
export class Flow {
  readonly sender: Session;
  readonly receiver: Session;
  /** Bytes of whole messages that came out. */
  delivered = 0;
  /** Datagrams of the receiver: acks. */
  answers = 0;
  /** Whether there is always more to send. */
  bulk = true;
  /** Called after each datagram of the sender, probes included. */
  observe: () => void = () => undefined;
  readonly #timeline: Timeline;
  readonly #forward: SimulatedPipe;
  readonly #back: SimulatedPipe;
  readonly #open = new Set<number>();
  readonly #buffer = new Uint8Array(MAX_DATAGRAM);
  readonly #message = new Uint8Array(65_536);
  readonly #wake: SimulatedSleeper = { wake: () => this.#pass() };
  #next = 0;
  #floor = 0;

  constructor(
    timeline: Timeline,
    random: SeededRandom,
    forward: SimulatedPipe,
    back: SimulatedPipe,
    config: Partial<SessionConfig> = {},
  ) {
    this.#timeline = timeline;
    this.#forward = forward;
    this.#back = back;
    const provider = new AuthenticatingProvider();
    const key = (label: number) => provider.aeadKey(new Uint8Array(32).fill(label));
    const build = (initiator: boolean): Session =>
      new Session({
        role: initiator ? 'initiator' : 'responder',
        sendKey: key(initiator ? 1 : 2),
        receiveKey: key(initiator ? 2 : 1),
        localIndex: initiator ? 1 : 2,
        remoteIndex: initiator ? 2 : 1,
        path: 0,
        pathValidated: true,
        now: timeline.now,
        random: random.fork(initiator ? 'sender' : 'receiver'),
        drops: new DropCounters(),
        config,
      });
    this.sender = build(true);
    this.receiver = build(false);
  }

  /** The sender's view of its path. */
  get path(): PathStatistics {
    return this.sender.pathStatistics(0)!;
  }

  get statistics(): SessionStatistics {
    return this.sender.statistics();
  }

  /** Messages that are not acknowledged yet. */
  get waiting(): number {
    return this.#open.size;
  }

  /** Sends one message of so many bytes. */
  send(length: number): void {
    const sequence = this.#next++;
    this.#open.add(sequence);
    const bytes = this.#message.subarray(0, length);
    this.sender.sendMessage(this.#timeline.now, { sequence, floor: () => this.#floor, service: 7, bytes });
  }

  /** Takes everything that both ends have to say now. */
  pump(): void {
    const { now } = this.#timeline;
    for (let event = this.sender.pollEvent(); event !== undefined; event = this.sender.pollEvent()) {
      if (event.kind === 'messageAcknowledged') this.#open.delete(event.sequence);
    }
    while (this.#floor < this.#next && !this.#open.has(this.#floor)) this.#floor++;
    for (let event = this.receiver.pollEvent(); event !== undefined; event = this.receiver.pollEvent()) {
      if (event.kind === 'message') this.delivered += event.bytes.length;
    }
    while (this.bulk && this.#next - this.#floor < MESSAGES_UNDER_WAY) this.send(MESSAGE);
    for (;;) {
      const transmit = this.sender.pollTransmit(now, this.#buffer);
      if (transmit === undefined) break;
      this.observe();
      this.#carry(this.#forward, this.receiver, transmit.length);
    }
    for (;;) {
      const transmit = this.receiver.pollTransmit(now, this.#buffer);
      if (transmit === undefined) break;
      this.answers++;
      this.#carry(this.#back, this.sender, transmit.length);
    }
    const due = earliest(this.sender.pollTimeout(), this.receiver.pollTimeout());
    this.#timeline.setDeadline(this.#wake, due);
  }

  #carry(pipe: SimulatedPipe, to: Session, length: number): void {
    pipe.carry(this.#buffer.subarray(0, length), HEADERS, bytes => {
      to.handlePacket(this.#timeline.now, 0, bytes);
      this.pump();
      return false;
    });
  }

  #pass(): boolean {
    const { now } = this.#timeline;
    for (const session of [this.sender, this.receiver]) {
      const due = session.pollTimeout();
      if (due !== undefined && due <= now) session.handleTimeout(now);
    }
    this.pump();
    return false;
  }
}

/** Flows that share one link of limited bandwidth and queue, under virtual time. */
export class Bottleneck {
  readonly timeline: Timeline = new Timeline();
  readonly forward: SimulatedPipe;
  readonly flows: Flow[] = [];
  readonly #back: SimulatedPipe;
  readonly #random: SeededRandom;
  readonly #config: Partial<SessionConfig> | undefined;

  constructor(options: BottleneckOptions) {
    this.#random = new SeededRandom(options.seed ?? 1);
    this.#config = options.config;
    this.forward = new SimulatedPipe(this.timeline, this.#random.fork('forward'), options.link);
    const { delay = milliseconds(0) } = options.link;
    this.#back = new SimulatedPipe(this.timeline, this.#random.fork('back'), { delay });
  }

  get now(): Instant {
    return this.timeline.now;
  }

  /** Begins another flow; its first packets go now. One that is no `bulk` sends what it is told to. */
  add(config: Partial<SessionConfig> | undefined = this.#config, bulk: boolean = true): Flow {
    const random = this.#random.fork(`flow ${this.flows.length}`);
    const flow = new Flow(this.timeline, random, this.forward, this.#back, config);
    flow.bulk = bulk;
    this.flows.push(flow);
    flow.pump();
    return flow;
  }

  /** Lets so many milliseconds pass. */
  run(duration: number): void {
    const end = instant(this.now + duration);
    while (this.timeline.step(end) !== undefined);
  }
}

/** A link of so many Mbit/s whose queue holds `queue` times what is under way in one round trip of two times `delay`. */
export function mbit(rate: number, delay: number, queue: number = 1): Partial<LinkConditions> {
  const bandwidth = (rate * 1e6) / 8;
  return {
    bandwidth,
    delay: milliseconds(delay),
    queue: Math.max(20_000, (bandwidth * 2 * delay * queue) / 1_000),
  };
}

/** Jain's index of fairness: 1 when all shares are alike, 1/n when one has everything. */
export function fairness(shares: readonly number[]): number {
  const sum = shares.reduce((a, b) => a + b, 0);
  return (sum * sum) / (shares.length * shares.reduce((a, b) => a + b * b, 0));
}
