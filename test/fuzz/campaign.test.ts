import type { SeededRandom } from '@coconet/cluster-protocol/testing';
import test from 'ava';

import { mutate, pick, simplerBytes } from './byte-mutator.js';
import { Campaign, MAX_INPUT_MS } from './campaign.js';
import { decodeScript, encodeScript, type Script } from './machines/script.js';
import type { Outcome, Subject } from './subject.js';

/** A subject that does with some bytes what a test says. */
const subject = (run: (bytes: Uint8Array) => Partial<Outcome>): Subject => ({
  seeds: [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)],
  generate: (random: SeededRandom, interesting) =>
    mutate(random, pick(random, interesting), new Uint8Array(4), 64),
  run: bytes => ({ inputs: 1, features: [], flaws: [], slowest: 0, ...run(bytes) }),
  simpler: simplerBytes,
});

test('what is thrown is found, once, and made as simple as it can be', t => {
  const campaign = new Campaign(
    subject(bytes => {
      if (bytes.includes(0x42)) throw new TypeError('it breaks');
      return {};
    }),
  );

  const { inputs, findings } = campaign.run(1, 5_000);

  t.is(inputs, 5_000);
  t.is(findings.length, 1);
  t.regex(findings[0]!.flaw, /^thrown: TypeError: it breaks/);
  t.deepEqual([...findings[0]!.bytes], [0x42]);
});

test('an input that is slow each time is found, one that was slow once is not', t => {
  const slowOnce = new Set([1]);
  const campaign = new Campaign(
    subject(bytes => {
      const slow = bytes.length > 30 || slowOnce.delete(bytes.length);
      return { slowest: slow ? MAX_INPUT_MS + 1 : 1 };
    }),
  );

  const once = campaign.learn([Uint8Array.of(1)]);
  const always = campaign.learn([new Uint8Array(31)]);

  t.deepEqual(once.findings, []);
  t.deepEqual(
    always.findings.map(({ flaw }) => flaw),
    [`an input takes longer than ${MAX_INPUT_MS} ms`],
  );
});

test('a condition behind another one is reached, because the first is remembered', t => {
  const features = (bytes: Uint8Array): string[] => {
    const depth = [0x10, 0x20, 0x30].findIndex((byte, i) => bytes[i] !== byte);
    return [`depth ${depth < 0 ? 3 : depth}`];
  };
  const campaign = new Campaign(subject(bytes => ({ features: features(bytes) })));

  const { found } = campaign.run(7, 200_000);

  t.true(campaign.features.has('depth 3'));
  t.true(found.some(bytes => bytes[0] === 0x10 && bytes[1] === 0x20 && bytes[2] === 0x30));
});

test('the same seed tries the same inputs', t => {
  const tried = (): string[] => {
    const all: string[] = [];
    new Campaign(
      subject(bytes => {
        all.push(String(bytes));
        return {};
      }),
    ).run(3, 500);
    return all;
  };

  t.deepEqual(tried(), tried());
});

test('a script comes back as it was, and any bytes are a script', t => {
  const script: Script = {
    scene: 3,
    seed: 1,
    steps: [
      { kind: 'clear', source: 2, bytes: Uint8Array.of(0xc0, 1) },
      { kind: 'sealed', number: 201, bytes: new Uint8Array(300).fill(7) },
      { kind: 'wait', exponent: 9 },
      { kind: 'victim', verb: 4, argument: 255 },
      { kind: 'peer', verb: 31, argument: 0 },
    ],
  };

  t.deepEqual(decodeScript(encodeScript(script)), script);
  t.deepEqual(decodeScript(new Uint8Array(0)).steps, []);
  t.is(decodeScript(new Uint8Array(5_000).fill(0xff)).steps.length, 0);
});
