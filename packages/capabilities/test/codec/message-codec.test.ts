import test from 'ava';
import fc from 'fast-check';
import {
  CapabilityError,
  MAX_PART_BYTES,
  decodeMessage,
  encodeMessage,
  encodeParameters,
  isClientMessage,
  level,
  onOff,
  pack,
  splitDescription,
  splitReport,
} from '@coconet/capabilities';
import type {
  CapabilityMessage,
  CommandMessage,
  Entry,
  ReportMessage,
  WireValue,
} from '@coconet/capabilities';
import { entry, message, wire } from '../arbitraries.js';

const reasonOf = (value: WireValue): string => {
  const result = decodeMessage(pack(value));
  return result.ok ? `taken as ${result.value.type}` : result.reason;
};

test('every message arrives as it was sent', t => {
  fc.assert(
    fc.property(message, sent => {
      const result = decodeMessage(encodeMessage(sent));

      t.deepEqual(result, { ok: true, value: sent });
    }),
    { numRuns: 1_000 },
  );
});

test('encoding what was decoded gives the same bytes', t => {
  fc.assert(
    fc.property(message, sent => {
      const bytes = encodeMessage(sent);

      const result = decodeMessage(bytes);

      t.deepEqual(result.ok && encodeMessage(result.value), bytes);
    }),
  );
});

test('any bytes decode or are refused', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), bytes => {
      t.notThrows(() => decodeMessage(bytes));
    }),
    { numRuns: 2_000 },
  );
});

test('any values in the places of fields decode or are refused', t => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 21 }), fc.array(wire, { maxLength: 9 }), (type, fields) => {
      t.notThrows(() => decodeMessage(pack([type, ...fields])));
    }),
    { numRuns: 2_000 },
  );
});

test('a change of one byte in a message decodes or is refused', t => {
  fc.assert(
    fc.property(message, fc.nat(), fc.nat({ max: 255 }), (sent, position, byte) => {
      const bytes = encodeMessage(sent);
      bytes[position % bytes.length] = byte;

      t.notThrows(() => decodeMessage(bytes));
    }),
    { numRuns: 1_000 },
  );
});

test('a command is small', t => {
  const command: CommandMessage = {
    type: 'command',
    resourceId: 'zigbee/00124b0012345678/1',
    capabilityId: level.id,
    commandId: level.commands.setLevel.id,
    timeoutMs: 5_000,
    params: encodeParameters(level, 'setLevel', { level: 40, transition: 300 }),
  };

  t.true(encodeMessage({ ...command, resourceId: 'lamp' }).length <= 20);
  t.true(encodeMessage(command).length <= 42);
});

test('fields that a later version adds are passed over', t => {
  const result = decodeMessage(pack([2, 17, 'from the future', [1]]));

  t.deepEqual(result, { ok: true, value: { type: 'unsubscribe', subscriptionId: 17 } });
});

test('a refusal says which field is wrong', t => {
  t.is(reasonOf([2]), 'unsubscribe: subscriptionId: missing');
  t.is(reasonOf([2, -1]), 'unsubscribe: subscriptionId: is -1, allowed is 0…4294967295');
  t.is(reasonOf([4, new Uint8Array(7), 1]), 'cancel: incarnation: not an incarnation');
  t.is(reasonOf([99, 1]), 'unknown message type');
  t.is(reasonOf([]), 'unknown message type');
  t.is(reasonOf(7), 'not a message');
  t.is(reasonOf([3, 'lamp', '', null, 8, 0, []]), 'command: capabilityId: empty capability id');
});

test('a status code and names of a later version read as unknown', t => {
  const status = decodeMessage(pack([18, new Uint8Array(8), 1, 200]));
  const device = decodeMessage(
    pack([16, null, new Uint8Array(8), 1, true, true, ['Desk', null, null, null, null, null, 99], [], []]),
  );

  t.true(status.ok && status.value.type === 'status' && status.value.code === 'unknown');
  t.true(device.ok && device.value.type === 'description' && device.value.device.powerSource === 'unknown');
});

test('a field out of range is an error of the application that names it', t => {
  const error = t.throws(() => encodeMessage({ type: 'subscribe', subscriptionId: 2 ** 32, filter: {} }), {
    instanceOf: CapabilityError,
  });

  t.is(error.code, 'VALUE_OUT_OF_RANGE');
  t.is(error.message, 'message.subscriptionId is 4294967296, allowed is 0…4294967295');
});

test('messages of clients are told from those of devices', t => {
  t.true(isClientMessage({ type: 'unsubscribe', subscriptionId: 1 }));
  t.false(isClientMessage({ type: 'refused', what: 'request', id: 1, code: 'busy' }));
});

const snapshot = (entries: readonly Entry[]): ReportMessage => ({
  type: 'report',
  subscriptionId: 1,
  stateIncarnation: new Uint8Array(8),
  fromVersion: 0,
  version: 90_000,
  snapshot: true,
  last: true,
  entries,
  removed: ['gone'],
});

const reading = (index: number, value: WireValue): Entry => ({
  resourceId: `zigbee/${String(index)}`,
  capabilityId: onOff.id,
  attributeId: 1,
  value,
  realtime: false,
  lastUpdated: new Date(1_700_000_000_000 + index),
  version: index,
});

const received = (part: CapabilityMessage): ReportMessage => {
  const result = decodeMessage(encodeMessage(part));
  if (!result.ok || result.value.type !== 'report') throw new Error('not a report');
  return result.value;
};

test('a large snapshot is split into parts that fit, in order, the last one marked', t => {
  const whole = snapshot(Array.from({ length: 10_000 }, (_, index) => reading(index, true)));

  const parts = splitReport(whole);
  const arrived = parts.map(received);

  t.true(parts.length > 3);
  t.true(parts.every(part => encodeMessage(part).length <= MAX_PART_BYTES));
  t.deepEqual(
    arrived.flatMap(part => part.entries),
    whole.entries,
  );
  t.deepEqual(
    arrived.map(part => part.last),
    [...parts.slice(1).map(() => false), true],
  );
  t.deepEqual(
    arrived.map(part => part.removed),
    [['gone'], ...parts.slice(1).map(() => undefined)],
  );
  t.true(arrived.every(part => part.snapshot && part.version === 90_000));
});

test('values of 30 KiB go one by one', t => {
  const parts = splitReport(snapshot([1, 2, 3].map(index => reading(index, 'x'.repeat(31_000)))));

  t.is(parts.length, 3);
});

test('what fits is not split', t => {
  const whole = snapshot([reading(1, true)]);

  t.deepEqual(splitReport(whole), [whole]);
  t.deepEqual(splitReport(snapshot([])), [snapshot([])]);
});

test('whatever is split, nothing is lost and everything fits', t => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 30 }), entries => {
      const parts = splitReport(snapshot(entries), 600);

      t.deepEqual(
        parts.flatMap(part => part.entries),
        entries,
      );
      t.true(parts.every(part => part.entries.length <= 1 || encodeMessage(part).length <= 600));
    }),
  );
});

test('a large description is split: full in the first part, last in the last', t => {
  const parts = splitDescription({
    type: 'description',
    stateIncarnation: new Uint8Array(8),
    version: 1,
    full: true,
    last: true,
    device: { name: 'Gateway' },
    resources: Array.from({ length: 3_000 }, (_, index) => ({
      resourceId: `zigbee/${String(index)}`,
      name: `Lamp number ${String(index)}`,
      capabilities: [{ capabilityId: onOff.id, revision: 1, commands: [8, 9, 10], attributes: [1, 2] }],
    })),
    removed: [],
  });

  t.true(parts.length > 1);
  t.true(parts.every(part => encodeMessage(part).length <= MAX_PART_BYTES));
  t.is(parts.flatMap(part => part.resources).length, 3_000);
  t.deepEqual(
    parts.map(part => part.full),
    [true, ...parts.slice(1).map(() => false)],
  );
  t.deepEqual(
    parts.map(part => part.last),
    [...parts.slice(1).map(() => false), true],
  );
});

test('misuse of every kind of field is named', t => {
  const cancel = { type: 'cancel', incarnation: new Uint8Array(8), sequence: 1 } as const;
  const read = { type: 'read', requestId: 1, resourceId: 'lamp', capabilityId: onOff.id } as const;

  t.throws(() => encodeMessage({ ...cancel, sequence: 2 ** 53 }), {
    code: 'VALUE_OUT_OF_RANGE',
    message: /sequence/,
  });
  t.throws(() => encodeMessage({ ...cancel, incarnation: new Uint8Array(7) }), {
    message: /incarnation has 7 bytes/,
  });
  t.throws(() => encodeMessage({ ...read, resourceId: 'x'.repeat(129) }), {
    code: 'VALUE_TOO_LONG',
    message: /resourceId/,
  });
  t.throws(() => encodeMessage({ ...read, attributes: [65_536] }), { message: /attributes\[0\] is 65536/ });
  t.throws(
    () =>
      encodeMessage({
        type: 'subscribe',
        subscriptionId: 1,
        filter: { resources: Array.from({ length: 257 }, () => 'lamp') },
      }),
    { code: 'VALUE_TOO_LONG', message: /filter\.resources has 257 elements/ },
  );
});
