import { ANSWER_LENGTH, REQUEST_LENGTH } from './contestant.js';

/** What a request asks for, in its fifth byte. */
export const Wish = {
  /** An answer and nothing else. */
  answer: 0,
  /** An answer, and every value that is published from then on. */
  enlist: 1,
  /** This request itself to everybody who enlisted, as a value; no answer. */
  publish: 2,
  /** So many bytes over a stream as the four bytes behind the wish say; no answer. */
  pour: 3,
} as const;

/** A request with a number, by which its answer is known. */
export function requestOf(number: number, wish: number = Wish.answer, bytes: number = 0): Uint8Array {
  const request = new Uint8Array(REQUEST_LENGTH);
  putUint32(request, 0, number);
  request[4] = wish;
  putUint32(request, 5, bytes);
  return request;
}

/** The answer to a request: its number and nothing else. */
export function answerTo(request: Uint8Array): Uint8Array {
  const answer = new Uint8Array(ANSWER_LENGTH);
  for (let i = 0; i < 4; i++) answer[i] = request[i]!;
  return answer;
}

/** The number of a request, an answer or a value. */
export const numberOf = (bytes: Uint8Array): number => uint32(bytes, 0);

/** How many bytes a request wants poured. */
export const lengthWanted = (request: Uint8Array): number => uint32(request, 5);

const uint32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;

function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
