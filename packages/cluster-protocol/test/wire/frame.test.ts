import test from 'ava';
import fc from 'fast-check';
import {
  ACK_DELAY_UNIT,
  describeFrame,
  encodeFrames,
  type Frame,
  FrameReader,
  FrameType,
  readFrames,
} from '../../src/wire/index.js';

const uint32 = fc.nat({ max: 0xffff_ffff });
const sequence = fc.nat({ max: 2 ** 53 - 1 });
const bytes = (maxLength: number) => fc.uint8Array({ maxLength });

const ackFrame: fc.Arbitrary<Frame> = fc
  .tuple(
    fc.array(fc.tuple(fc.nat({ max: 100 }), fc.nat({ max: 100_000 })), { minLength: 1, maxLength: 32 }),
    fc.nat({ max: 1_000_000 }),
  )
  .map(([spans, delay]) => {
    let next = 0;
    const ranges = spans.map(([gap, length]) => {
      const first = next + gap;
      next = first + length + 2;
      return { first, last: first + length };
    });
    return { type: 'ack', delay: delay * ACK_DELAY_UNIT, ranges: ranges.reverse() };
  });

const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ type: fc.constantFrom('ping' as const, 'immediateAck' as const) }),
  fc
    .tuple(sequence, fc.integer({ min: 1, max: 255 }), fc.nat({ max: 100_000 }))
    .map(([request, every, delay]) => ({
      type: 'ackFrequency' as const,
      request,
      every,
      delay: delay * ACK_DELAY_UNIT,
    })),
  ackFrame,
  fc.record({
    type: fc.constantFrom('rekeyOffer' as const, 'rekeyAnswer' as const),
    generation: sequence,
    bytes: bytes(256),
  }),
  fc.record({
    type: fc.constant('fragment' as const),
    sequence,
    offset: fc.integer({ min: 1, max: 60_000 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }),
  }),
  fc
    .record({
      sequence,
      above: fc.nat({ max: 1_023 }),
      service: uint32,
      priority: fc.nat({ max: 7 }),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }),
      more: fc.nat({ max: 60_000 }),
    })
    .map(({ sequence, above, service, priority, bytes, more }) => ({
      type: 'firstFragment' as const,
      sequence,
      total: bytes.length + more,
      service,
      floor: Math.max(0, sequence - above),
      priority,
      bytes,
    })),
  fc.record({
    type: fc.constant('streamOpen' as const),
    id: sequence,
    service: uint32,
    priority: fc.nat({ max: 7 }),
    fin: fc.boolean(),
    bytes: bytes(300),
  }),
  fc
    .record({
      id: sequence,
      offset: fc.integer({ min: 1, max: 2 ** 52 }),
      fin: fc.boolean(),
      bytes: bytes(300),
    })
    .map(({ bytes, fin, ...rest }) => ({
      type: 'stream' as const,
      ...rest,
      fin: fin || bytes.length === 0,
      bytes,
    })),
  fc.record({ type: fc.constant('streamCredit' as const), id: sequence, credit: sequence }),
  fc.record({
    type: fc.constant('sessionCredit' as const),
    credit: sequence,
    streams: sequence,
    oneWayStreams: sequence,
  }),
  fc.record({ type: fc.constant('streamReset' as const), id: sequence, code: uint32, finalSize: sequence }),
  fc.record({ type: fc.constant('streamStop' as const), id: sequence, code: uint32 }),
  fc.record({ type: fc.constantFrom('messageGrant' as const, 'messageRepeat' as const), sequence }),
  fc.record({ sequence, above: fc.nat({ max: 1_023 }) }).map(({ sequence, above }) => ({
    type: 'messageAbandon' as const,
    sequence,
    floor: Math.max(0, sequence - above),
  })),
  fc.record({ type: fc.constant('datagram' as const), service: uint32, bytes: bytes(300) }),
  fc.record({
    type: fc.constantFrom('pathChallenge' as const, 'pathResponse' as const),
    high: uint32,
    low: uint32,
  }),
  fc.record({
    type: fc.constant('close' as const),
    code: uint32,
    reason: fc
      .string({ maxLength: 30, unit: 'grapheme' })
      .filter(text => new TextEncoder().encode(text).length <= 128),
  }),
  fc.record({ type: fc.constant('control' as const), number: sequence, control: uint32, bytes: bytes(300) }),
  fc.record({
    type: fc.constant('unknown' as const),
    number: fc.integer({ min: 0x40, max: 0x7f }),
    bytes: bytes(100),
  }),
);

test('what is written is read again', t => {
  fc.assert(
    fc.property(fc.array(frame, { minLength: 1, maxLength: 3 }), frames => {
      const read = readFrames(encodeFrames(frames));

      t.true(read.ok);
      if (read.ok) t.deepEqual(read.value, frames);
    }),
    { numRuns: 500 },
  );
});

test('any bytes are frames or malformed, and never throw', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 10 }), (noise, type) => {
      if (noise.length > 0) noise[0] = type;
      const read = readFrames(noise);

      t.true(read.ok || read.reason === 'malformed');
      if (read.ok) for (const each of read.value) t.is(typeof describeFrame(each), 'string');
    }),
    { numRuns: 2_000 },
  );
});

test('frames that are cut off anywhere are malformed or fewer', t => {
  fc.assert(
    fc.property(frame, fc.nat({ max: 1_000 }), (whole, cut) => {
      const encoded = encodeFrames([whole]);
      const read = readFrames(encoded.subarray(0, cut % encoded.length));

      t.false(read.ok);
    }),
  );
});

test('a packet without a frame, unknown types and broken rules are malformed', t => {
  const malformed: readonly (readonly number[])[] = [
    [],
    [0x0a],
    [0x10],
    [0x20],
    [0x3f],
    [0x80],
    [0xff],
    [0x02, 5, 0, 0, 0], // An ack with no range.
    [0x02, 5, 0, 1, 6], // A range that begins below zero.
    [0x02, 5, 0, 2, 1, 3, 0], // A second range below zero.
    [0x02, 0x40, 0x05, 0, 1, 0], // A number not in its shortest form.
    [0x03, 1, 0, 1, 9], // A later fragment at offset zero.
    [0x03, 1, 1, 0], // A later fragment without a byte.
    [0x04, 1, 2, 7, 0, 4, 3, 1, 1, 1], // A first fragment longer than the message.
    [0x04, 1, 2, 7, 0, 4, 0], // A first fragment without a byte of a message that has some.
    [0x04, 1, 2, 7, 2, 4, 2, 1, 1], // A floor below zero.
    [0x04, 1, 2, 7, 0, 8, 2, 1, 1], // A priority above seven.
    [0x04, 0x80, 0, 0x10, 0, 1, 7, 0x44, 0x00, 4, 1, 1], // 1,024 above the floor.
    [0x06, 1, 2, 3, 4, 5, 6, 7],
    [0x08, 1, 1, 0xff], // A reason that is not UTF-8.
    [0x18], // A grant for no message.
    [0x1a, 5, 6], // A floor below zero.
    [0x1a, 0x50, 0, 0x44, 0], // 1,024 above the floor.
    [0x40, 5, 1],
  ];

  for (const each of malformed) t.false(readFrames(Uint8Array.from(each)).ok, each.join(' '));
});

test('of the types without a meaning those of later minor versions are skipped, the others malformed', t => {
  const known: readonly number[] = Object.values(FrameType);

  for (let type = 0; type <= 0xff; type++)
    if (!known.includes(type))
      t.is(
        readFrames(Uint8Array.of(type, 1, 9, FrameType.ping)).ok,
        type >= 0x40 && type <= 0x7f,
        String(type),
      );
});

test('what has a bound is read up to it and no further', t => {
  const acks = (ranges: number): number[] => [
    0x02,
    0x40,
    100,
    0,
    ranges,
    ...new Array<number>(2 * ranges - 1).fill(0),
  ];
  const [most, beyond] = [
    [
      acks(32),
      [0x03, 1, 0x80, 0xff, 0xff, 0xff, 1, 7], // The last byte of 16 MiB.
      [0x12, 1, 0xc0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfd, 1, 7], // The last byte of 2^53 − 2.
    ],
    [
      acks(33),
      [0x03, 1, 0x81, 0, 0, 0, 1, 7],
      [0x12, 1, 0xc0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 1, 7],
    ],
  ];

  for (const each of most) t.true(readFrames(Uint8Array.from(each)).ok, each.join(' '));
  for (const each of beyond) t.false(readFrames(Uint8Array.from(each)).ok, each.join(' '));
});

test('frames end where they should, whatever stands behind them', t => {
  const read = (from: Uint8Array, end: number): unknown => {
    const reader = new FrameReader();
    const types: number[] = [];
    reader.reset(from, 0, end);
    while (reader.next()) types.push(reader.type);
    return [types, reader.failed];
  };
  fc.assert(
    fc.property(fc.array(frame, { minLength: 1, maxLength: 3 }), frames => {
      const whole = encodeFrames(frames);
      const step = Math.max(1, Math.floor(whole.length / 200));
      for (let end = 0; end < whole.length; end += step)
        t.deepEqual(read(whole, end), read(whole.slice(0, end), end), `${end} of ${whole.join(' ')}`);
    }),
  );
});

test('padding is one frame however long', t => {
  const read = readFrames(
    encodeFrames([{ type: 'ping' }, { type: 'padding', length: 40 }, { type: 'ping' }]),
  );

  t.true(read.ok && read.value.length === 3 && read.value[1]?.type === 'padding');
});

test('no frame shows its content when it is described', t => {
  const secret = new TextEncoder().encode('secret');

  for (const each of [
    { type: 'datagram', service: 1, bytes: secret },
    { type: 'control', number: 1, control: 2, bytes: secret },
    { type: 'fragment', sequence: 1, offset: 1, bytes: secret },
  ] as const) {
    t.false(describeFrame(each).includes('secret'));
    t.regex(describeFrame(each), /6/);
  }
});
