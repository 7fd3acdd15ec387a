/**
 * Computes test-vectors/memory.json: the control frames by which a peer is asked what it remembers.
 *
 *   npx tsx --conditions=coconet-source scripts/vectors/memory.ts
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toHex } from '../../packages/cluster-protocol/src/base/index.js';
import {
  encodeRecallAnswer,
  encodeRecallQuestion,
  MAX_RECALLED_INBOXES,
  MAX_RECALLED_SEQUENCES,
  RECALL_CONTROL,
  RECALLED_CONTROL,
} from '../../packages/cluster-protocol/src/network/index.js';

const inbox = (byte: number): Uint8Array => new Uint8Array(8).fill(byte);
const many = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

const question = (name: string, inboxes: readonly Uint8Array[], sequences: readonly number[]) => ({
  name,
  inboxes: inboxes.map(toHex),
  sequences,
  hex: toHex(encodeRecallQuestion({ inboxes, sequences })),
});

const whole = toHex(encodeRecallQuestion({ inboxes: [inbox(0xa1)], sequences: [5] }));
const vectors = {
  source: 'scripts/vectors/memory.ts; docs/spec/06-interface.md, section 5',
  questionType: RECALL_CONTROL,
  answerType: RECALLED_CONTROL,
  questions: [
    question('one life, nothing acknowledged', [inbox(0xa1)], []),
    question('two lives, two messages', [inbox(0xa1), inbox(0xb2)], [7, 16_384]),
    question(
      'as much as a question holds',
      many(MAX_RECALLED_INBOXES).map(inbox),
      many(MAX_RECALLED_SEQUENCES).map(i => 2 ** 53 - i),
    ),
  ],
  answers: [
    { kept: true, hex: toHex(encodeRecallAnswer(true)) },
    { kept: false, hex: toHex(encodeRecallAnswer(false)) },
  ],
  refusedQuestions: [
    { why: 'empty', hex: '' },
    { why: 'no life', hex: '0000' },
    { why: 'nine lives', hex: `09${'a1'.repeat(72)}00` },
    { why: '33 messages', hex: `01${'a1'.repeat(8)}21${'05'.repeat(33)}` },
    { why: 'cut', hex: whole.slice(0, -2) },
    { why: 'a byte too many', hex: `${whole}00` },
  ],
  refusedAnswers: [
    { why: 'empty', hex: '' },
    { why: 'neither yes nor no', hex: '02' },
    { why: 'a byte too many', hex: '0100' },
  ],
};

const path = fileURLToPath(new URL('../../test-vectors/memory.json', import.meta.url));
writeFileSync(path, `${JSON.stringify(vectors, null, 2)}\n`);
