import { malformed, parsed, type Parsed } from '../base/index.js';
import { encodeWith, MAX_CONTROL, Reader } from '../wire/index.js';

/** Type of the control frame that carries a {@link RecallQuestion} (docs/spec/06-interface.md, "Memory of a peer"). */
export const RECALL_CONTROL = 0x02;
/** Type of the control frame that answers it. */
export const RECALLED_CONTROL = 0x03;

/** Inboxes asked about at once: a peer that was restarted more often while we waited counts as one that forgot. */
export const MAX_RECALLED_INBOXES = 8;
/**
 * Acknowledged messages by which a memory is tested. Acknowledgements may come in another order than the receiver's
 * records reach its disk; this many span what an ordinary command rate has on its way in a second.
 */
export const MAX_RECALLED_SEQUENCES = 32;

const INCARNATION_LENGTH = 8;

/** Asks a peer that was restarted whether it still has the memory in which our messages were received. */
export interface RecallQuestion {
  /** Inbox incarnations under which messages of ours went, oldest first; 8 bytes each, 1 to 8 of them. */
  readonly inboxes: readonly Uint8Array[];
  /** The latest of our messages that must have one effect and were acknowledged; at most 32. */
  readonly sequences: readonly number[];
}

/** The content of the question's control frame. */
export function encodeRecallQuestion({ inboxes, sequences }: RecallQuestion): Uint8Array {
  return encodeWith(MAX_CONTROL, writer => {
    writer.uint8(inboxes.length);
    for (const inbox of inboxes) writer.bytes(inbox);
    writer.uint8(sequences.length);
    for (const sequence of sequences) writer.varint(sequence);
  });
}

/** The question in a control frame; its incarnations are copies. Never throws. */
export function decodeRecallQuestion(bytes: Uint8Array): Parsed<RecallQuestion> {
  const reader = new Reader(bytes);
  const inboxes: Uint8Array[] = [];
  const sequences: number[] = [];
  const inboxCount = reader.uint8();
  if (inboxCount === 0 || inboxCount > MAX_RECALLED_INBOXES) reader.fail();
  for (let i = 0; i < inboxCount && !reader.failed; i++)
    inboxes.push(reader.bytes(INCARNATION_LENGTH).slice());
  const sequenceCount = reader.uint8();
  if (sequenceCount > MAX_RECALLED_SEQUENCES) reader.fail();
  for (let i = 0; i < sequenceCount && !reader.failed; i++) sequences.push(reader.varint());
  return reader.complete ? parsed({ inboxes, sequences }) : malformed;
}

/** The content of the answer's control frame: whether all of it is remembered. */
export const encodeRecallAnswer = (kept: boolean): Uint8Array => new Uint8Array([kept ? 1 : 0]);

/** The answer in a control frame. Never throws. */
export function decodeRecallAnswer(bytes: Uint8Array): Parsed<boolean> {
  const reader = new Reader(bytes);
  const kept = reader.uint8();
  return reader.complete && kept <= 1 ? parsed(kept === 1) : malformed;
}
