/** Bytes of a request: about what a command of a capability takes. */
export const REQUEST_LENGTH = 130;
/** Bytes of an answer: a status and a few values. */
export const ANSWER_LENGTH = 16;
/** Everything runs over this address: what is compared is programs, not networks. */
export const LOOPBACK = '127.0.0.1';

/** What is measured, in the process of the client: a way to ask the server something. */
export interface Client {
  /** Bytes of the datagrams or of the byte stream, both ways, since the client was opened; IP, UDP and TCP headers not. */
  readonly wireBytes: number;
  /** Hears the answers; an answer begins with the first four bytes of its request. */
  onAnswer: (answer: Uint8Array) => void;
  /** Sends a request, which is not changed afterwards. Several may be under way. */
  request(request: Uint8Array): void;
  /**
   * Sets up another session with the server, which is known already, and asks once. Gives the milliseconds from the wish
   * to the answer; absent where there is nothing to set up. The session stays until {@link Client.takeDown}.
   */
  setUp?(request: Uint8Array): Promise<number>;
  /** Ends the sessions that were set up besides the first. */
  takeDown?(): Promise<void>;
  close(): Promise<void>;
}

/** What answers, in the process of the server. */
export interface Service {
  /** What a client must know to come: a structured-clone value that the parent process carries over. */
  readonly invitation: unknown;
  close(): Promise<void>;
}

/** One way of asking and answering, on both sides. */
export interface Contestant {
  serve(): Promise<Service>;
  open(invitation: unknown): Promise<Client>;
}

/** Binds the two sides of a contestant together by the type of what one hands to the other. */
export function contestant<Invitation>(
  serve: () => Promise<Service & { readonly invitation: Invitation }>,
  open: (invitation: Invitation) => Promise<Client>,
): Contestant {
  return { serve, open: invitation => open(invitation as Invitation) };
}

/** The answer to a request: its number and nothing else. */
export function answerTo(request: Uint8Array): Uint8Array {
  const answer = new Uint8Array(ANSWER_LENGTH);
  answer.set(request.subarray(0, 4));
  return answer;
}
