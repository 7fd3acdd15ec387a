import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { fromHex, toHex } from '../../src/base/index.js';
import {
  decodeRecallAnswer,
  decodeRecallQuestion,
  encodeRecallAnswer,
  encodeRecallQuestion,
  MAX_RECALLED_INBOXES,
  MAX_RECALLED_SEQUENCES,
  PeerMemory,
} from '../../src/network/index.js';
import { MAX_CONTROL } from '../../src/wire/index.js';

interface Vectors {
  readonly questions: { readonly inboxes: string[]; readonly sequences: number[]; readonly hex: string }[];
  readonly answers: { readonly kept: boolean; readonly hex: string }[];
  readonly refusedQuestions: { readonly why: string; readonly hex: string }[];
  readonly refusedAnswers: { readonly why: string; readonly hex: string }[];
}

const file = new URL('../../../../test-vectors/memory.json', import.meta.url);
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors;
const incarnation = fc.uint8Array({ minLength: 8, maxLength: 8 });
const sequence = fc.maxSafeNat();
const A = 'a1'.repeat(8);
const B = 'b1'.repeat(8);
const C = 'c1'.repeat(8);

test('a question comes out as it went in, and fits a control frame', t => {
  fc.assert(
    fc.property(
      fc.array(incarnation, { minLength: 1, maxLength: MAX_RECALLED_INBOXES }),
      fc.array(sequence, { maxLength: MAX_RECALLED_SEQUENCES }),
      (inboxes, sequences) => {
        const bytes = encodeRecallQuestion({ inboxes, sequences });

        t.true(bytes.length <= MAX_CONTROL);
        t.deepEqual(decodeRecallQuestion(bytes), { ok: true, value: { inboxes, sequences } });
      },
    ),
  );
});

test('any bytes at all are a question, an answer or malformed', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), bytes => {
      const question = decodeRecallQuestion(bytes);
      const answer = decodeRecallAnswer(bytes);

      t.true(!question.ok || toHex(encodeRecallQuestion(question.value)) === toHex(bytes));
      t.true(!answer.ok || toHex(encodeRecallAnswer(answer.value)) === toHex(bytes));
    }),
  );
});

test('the questions and answers of the vectors are read, written and refused as they say', t => {
  for (const { inboxes, sequences, hex } of vectors.questions) {
    const value = { inboxes: inboxes.map(text => fromHex(text)!), sequences };
    t.is(toHex(encodeRecallQuestion(value)), hex);
    t.deepEqual(decodeRecallQuestion(fromHex(hex)!), { ok: true, value });
  }
  for (const { kept, hex } of vectors.answers) {
    t.is(toHex(encodeRecallAnswer(kept)), hex);
    t.deepEqual(decodeRecallAnswer(fromHex(hex)!), { ok: true, value: kept });
  }
  for (const { why, hex } of vectors.refusedQuestions) t.false(decodeRecallQuestion(fromHex(hex)!).ok, why);
  for (const { why, hex } of vectors.refusedAnswers) t.false(decodeRecallAnswer(fromHex(hex)!).ok, why);
});

test('a question about no inbox, about too many, or with too many messages is malformed', t => {
  const inboxes = (count: number): Uint8Array[] => Array.from({ length: count }, () => new Uint8Array(8));

  t.false(decodeRecallQuestion(encodeRecallQuestion({ inboxes: [], sequences: [] })).ok);
  t.false(decodeRecallQuestion(encodeRecallQuestion({ inboxes: inboxes(9), sequences: [] })).ok);
  t.false(
    decodeRecallQuestion(
      encodeRecallQuestion({ inboxes: inboxes(1), sequences: Array.from({ length: 33 }, (_, i) => i) }),
    ).ok,
  );
});

test('nothing is asked of a peer in its first life, nor twice in the same one', t => {
  const memory = new PeerMemory();

  memory.meet(A);
  memory.acknowledged(1);
  memory.meet(A);

  t.is(memory.question, undefined);
});

test('a peer is asked about every life in which it received from us, until it answers', t => {
  const memory = new PeerMemory();
  memory.meet(A);
  memory.acknowledged(1);
  memory.meet(B);
  memory.acknowledged(2);
  memory.meet(C);
  memory.meet(C);

  t.deepEqual(
    memory.question?.inboxes.map(bytes => bytes[0]),
    [0xa1, 0xb1],
  );
  t.deepEqual(memory.question?.sequences, [1, 2]);
  t.true(memory.answered(true));
  t.is(memory.question, undefined);
});

test('a peer that forgot is not asked about what it forgot again', t => {
  const memory = new PeerMemory();
  memory.meet(A);
  memory.acknowledged(1);
  memory.meet(B);

  t.false(memory.answered(false));

  memory.meet(C);
  t.deepEqual(memory.question?.sequences, []);
});

test('a peer with more lives than a question holds is not believed to remember them', t => {
  const memory = new PeerMemory();
  for (let life = 0; life < MAX_RECALLED_INBOXES + 2; life++)
    memory.meet(life.toString(16).padStart(16, '0'));

  t.is(memory.question?.inboxes.length, MAX_RECALLED_INBOXES);
  t.false(memory.answered(true));

  memory.meet(A);
  t.true(memory.answered(true));
});
