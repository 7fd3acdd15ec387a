import {
  ANSWER_LENGTH,
  type Client,
  contestant,
  type Contestant,
  REQUEST_LENGTH,
  type Service,
} from './contestant.js';
import { answerTo, lengthWanted, requestOf, Wish } from './request.js';

/** Sessions that are set up at once where many are wanted: servers have a backlog. */
const AT_ONCE = 25;

/** One session of a contestant, on either side. */
export interface Connection {
  /** Bytes both ways, as the socket is given them; `undefined` where nobody tells. */
  readonly wireBytes: number | undefined;
  /** Length of the next messages that come, for whoever has to cut a byte stream; 0: as it comes. */
  expects: number;
  onMessage: (message: Uint8Array) => void;
  send(message: Uint8Array): void;
  /** Sends so many bytes as fast as the other side takes them. */
  pour?(bytes: number): Promise<void>;
  /** Client's side, where a broker or the protocol itself knows who wants values: asks for them. */
  enlist?(): Promise<void>;
  /** Client's side, where a broker sends values to all: gives it one. */
  publish?(value: Uint8Array): void;
  close(): Promise<void>;
}

/** The client's side: makes sessions with one server. */
export interface Dialer {
  /** Begins a session; what is sent before it stands waits inside, or the promise waits. */
  connect(): Promise<Connection>;
  close(): Promise<void>;
}

/** A contestant told by its sessions: who accepts them, and who makes them. */
export interface Carrier<Invitation> {
  /** Calls back for each session that comes, and when it has gone. */
  listen(accept: (connection: Connection) => void): Promise<Service & { readonly invitation: Invitation }>;
  dial(invitation: Invitation): Promise<Dialer>;
  /** Whether the server can pour bytes over a stream. */
  readonly pours: boolean;
  /** Whether a session is anything at all: raw datagrams have none to set up or to keep. */
  readonly sessions: boolean;
}

/** A contestant whose server does with every session what is asked in it. */
export function carried<Invitation>(carrier: Carrier<Invitation>): Contestant {
  return contestant<Invitation>(
    () => {
      const desk = new Desk();
      return carrier.listen(connection => {
        connection.expects = REQUEST_LENGTH;
        connection.onMessage = request => {
          desk.take(request, connection);
        };
      });
    },
    async invitation => {
      const dialer = await carrier.dial(invitation);
      const first = await dialer.connect();
      first.expects = ANSWER_LENGTH;
      return new CarriedClient(carrier, dialer, first);
    },
  );
}

/** What the server does with requests. */
export class Desk {
  readonly #receivers = new Set<Pick<Connection, 'send'>>();

  take(request: Uint8Array, from: Pick<Connection, 'send' | 'pour'>): void {
    switch (request[4]) {
      case Wish.publish: {
        const value = request.slice();
        for (const receiver of this.#receivers) receiver.send(value);
        return;
      }
      case Wish.pour:
        // Whoever cannot pour is not asked to; one that goes in the middle is missed by the client.
        from.pour?.(lengthWanted(request)).catch(() => undefined);
        return;
      case Wish.enlist:
        this.#receivers.add(from);
        break;
      default:
        break;
    }
    from.send(answerTo(request));
  }
}

class CarriedClient implements Client {
  onAnswer: (answer: Uint8Array) => void = () => undefined;
  onValue: (receiver: number, value: Uint8Array) => void = () => undefined;
  readonly setUp?: (request: Uint8Array) => Promise<number>;
  readonly crowd?: (sessions: number) => Promise<void>;
  readonly pull?: (bytes: number) => Promise<number>;
  readonly #dialer: Dialer;
  readonly #first: Connection;
  readonly #receivers: Connection[] = [];
  readonly #crowd: Connection[] = [];
  #visitors: Connection[] = [];

  constructor(carrier: Pick<Carrier<never>, 'pours' | 'sessions'>, dialer: Dialer, first: Connection) {
    this.#dialer = dialer;
    this.#first = first;
    first.onMessage = answer => {
      this.onAnswer(answer);
    };
    if (carrier.sessions) {
      this.setUp = request => this.#setUp(request);
      this.crowd = async sessions => {
        this.#crowd.push(...(await this.#come(sessions, Wish.answer)));
      };
    }
    if (carrier.pours) this.pull = bytes => this.#pull(bytes);
  }

  get wireBytes(): number | undefined {
    return this.#first.wireBytes;
  }

  request(request: Uint8Array): void {
    this.#first.send(request);
  }

  publish(value: Uint8Array): void {
    if (this.#first.publish) this.#first.publish(value);
    else this.#first.send(value);
  }

  async enlist(receivers: number): Promise<void> {
    if (this.#receivers.length > 0) return;
    this.#receivers.push(...(await this.#come(receivers, Wish.enlist)));
    this.#receivers.forEach((connection, receiver) => {
      connection.expects = REQUEST_LENGTH;
      connection.onMessage = value => {
        this.onValue(receiver, value);
      };
    });
  }

  async takeDown(): Promise<void> {
    await Promise.all(this.#visitors.map(connection => connection.close()));
    this.#visitors = [];
  }

  async close(): Promise<void> {
    const all = [this.#first, ...this.#visitors, ...this.#receivers, ...this.#crowd];
    await Promise.allSettled(all.map(connection => connection.close()));
    await this.#dialer.close();
  }

  async #setUp(request: Uint8Array): Promise<number> {
    const start = performance.now();
    const connection = await this.#dialer.connect();
    await answered(connection, request);
    const time = performance.now() - start;
    this.#visitors.push(connection);
    return time;
  }

  async #pull(bytes: number): Promise<number> {
    const connection = await this.#dialer.connect();
    connection.expects = 0;
    const start = performance.now();
    let left = bytes;
    const whole = new Promise<void>(resolve => {
      connection.onMessage = chunk => {
        left -= chunk.length;
        if (left <= 0) resolve();
      };
    });
    connection.send(requestOf(0, Wish.pour, bytes));
    await whole;
    const time = performance.now() - start;
    await connection.close();
    return time;
  }

  async #come(count: number, wish: number): Promise<Connection[]> {
    const connections: Connection[] = [];
    while (connections.length < count) {
      const few = Array.from({ length: Math.min(AT_ONCE, count - connections.length) }, async () => {
        const connection = await this.#dialer.connect();
        await answered(connection, requestOf(0, wish));
        if (wish === Wish.enlist) await connection.enlist?.();
        return connection;
      });
      connections.push(...(await Promise.all(few)));
    }
    return connections;
  }
}

async function answered(connection: Connection, request: Uint8Array): Promise<void> {
  connection.expects = ANSWER_LENGTH;
  const answer = new Promise<void>(resolve => {
    connection.onMessage = () => {
      resolve();
    };
  });
  connection.send(request);
  await answer;
}
