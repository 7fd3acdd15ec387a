/** Bytes of a request: about what a command of a capability takes. */
export const REQUEST_LENGTH = 130;
/** Bytes of an answer: a status and a few values. */
export const ANSWER_LENGTH = 16;
/** Everything runs over this address: what is compared is programs, not networks. */
export const LOOPBACK = '127.0.0.1';

/** How many come besides the first session: members that have to be known before. */
export interface Company {
  /** Who hears every value that is published. */
  readonly receivers: number;
  /** Who comes for one request each and stays, where memory is measured. */
  readonly crowd: number;
}

/** What is measured, in the process of the client: a way to ask the server something. What it cannot do is absent. */
export interface Client {
  /**
   * Bytes of the datagrams or of the byte stream of the first session, both ways, since the client was opened; IP, UDP
   * and TCP headers not. `undefined` where nobody tells.
   */
  readonly wireBytes: number | undefined;
  /** Hears the answers; an answer begins with the first four bytes of its request. */
  onAnswer: (answer: Uint8Array) => void;
  /** Hears what receivers get: the receiver's number and the value. */
  onValue: (receiver: number, value: Uint8Array) => void;
  /** Sends a request, which is not changed afterwards. Several may be under way. */
  request(request: Uint8Array): void;
  /**
   * Sets up another session with the server, which is known already, and asks once. Gives the milliseconds from the wish
   * to the answer. The session stays until {@link Client.takeDown}.
   */
  setUp?(request: Uint8Array): Promise<number>;
  /** Ends the sessions that were set up besides the first. */
  takeDown?(): Promise<void>;
  /** Sets up the sessions of so many receivers, who stay; done once, and at once when called again. */
  enlist?(receivers: number): Promise<void>;
  /** Has the server send a value to all receivers. */
  publish?(value: Uint8Array): void;
  /** Has the server send so many bytes over one stream. Gives the milliseconds from the wish to the last byte. */
  pull?(bytes: number): Promise<number>;
  /** Sets up so many sessions more, each with one request answered, that stay until the client is closed. */
  crowd?(sessions: number): Promise<void>;
  close(): Promise<void>;
}

/** What answers, in the process of the server. */
export interface Service {
  /** What a client must know to come: a structured-clone value that the parent process carries over. */
  readonly invitation: unknown;
  /** Resident bytes of whoever holds the sessions, where that is another process than this one. */
  readonly memory?: () => number;
  close(): Promise<void>;
}

/** One way of asking and answering, on both sides. */
export interface Contestant {
  serve(company: Company): Promise<Service>;
  open(invitation: unknown): Promise<Client>;
}

/** Binds the two sides of a contestant together by the type of what one hands to the other. */
export function contestant<Invitation>(
  serve: (company: Company) => Promise<Service & { readonly invitation: Invitation }>,
  open: (invitation: Invitation) => Promise<Client>,
): Contestant {
  return { serve, open: invitation => open(invitation as Invitation) };
}
