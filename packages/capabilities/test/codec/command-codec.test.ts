import test from 'ava';
import fc from 'fast-check';
import {
  CapabilityError,
  decodeParameters,
  decodeRefresh,
  decodeWrite,
  deviceInfo,
  encodeParameters,
  encodeRefresh,
  encodeWrite,
  level,
  onOff,
} from '@coconet/capabilities';
import type { AnyCapability } from '@coconet/capabilities';
import { wire } from '../arbitraries.js';

/** A call as a program without types makes it. */
const untyped = (command: string, parameters: Record<string, unknown>) => () =>
  encodeParameters(level as AnyCapability, command, parameters);

test('a missing parameter is named', t => {
  const error = t.throws(untyped('setLevel', {}), { instanceOf: CapabilityError, code: 'MISSING_PARAMETER' });

  t.is(error.message, "level.setLevel needs 'level' (float32)");
});

test('an unknown parameter is answered with the nearest one', t => {
  const error = t.throws(untyped('setLevel', { level: 1, transitions: 5 }), {
    instanceOf: CapabilityError,
    code: 'UNKNOWN_PARAMETER',
  });

  t.is(error.message, "level.setLevel has no parameter 'transitions'; did you mean transition?");
});

test('an unknown command is answered with the nearest one', t => {
  const error = t.throws(untyped('setLevl', { level: 1 }), {
    instanceOf: CapabilityError,
    code: 'UNKNOWN_COMMAND',
  });

  t.is(error.message, "level has no command 'setLevl'; did you mean setLevel?");
});

test('names that every object inherits are unknown like any other', t => {
  t.throws(untyped('toString', {}), { code: 'UNKNOWN_COMMAND' });
  t.throws(untyped('setLevel', { level: 1, valueOf: 1 }), { code: 'UNKNOWN_PARAMETER' });
});

test('a value out of range names parameter, value, range and unit', t => {
  const error = t.throws(untyped('setLevel', { level: 140 }), { code: 'VALUE_OUT_OF_RANGE' });

  t.is(error.message, 'level.setLevel(level) is 140, allowed is 0…100 %');
});

test('null is no parameter', t => {
  t.throws(untyped('setLevel', { level: null }), { code: 'MISSING_PARAMETER' });
  t.throws(untyped('setLevel', { level: 1, transition: null }), { code: 'MISSING_PARAMETER' });
});

test('one of several optional parameters has to be there', t => {
  t.throws(untyped('setLevelWithOnOff', { transition: 5 }), {
    code: 'MISSING_PARAMETER',
    message: 'level.setLevelWithOnOff needs level or restore',
  });
  t.deepEqual(decodeParameters(level.commands.setLevelWithOnOff, [null, 5]), {
    ok: false,
    reason: 'needs level or restore',
    field: 'level',
  });
});

test('parameters from the network are refused with the field that is wrong', t => {
  t.deepEqual(decodeParameters(level.commands.setLevel, []), {
    ok: false,
    reason: 'level is missing',
    field: 'level',
  });
  t.deepEqual(decodeParameters(level.commands.setLevel, [101]), {
    ok: false,
    reason: 'level is 101, allowed is 0…100 %',
    field: 'level',
  });
});

test('a handler never gets a value that only a newer definition knows', t => {
  const result = decodeParameters(level.commands.move, [7]);

  t.like(result, { ok: false, field: 'direction' });
});

test('parameters that a newer sender adds are passed over', t => {
  t.deepEqual(decodeParameters(onOff.commands.turnOn, [5, 'new']), { ok: true, value: { duration: 5 } });
});

test('any parameters from the network decode or are refused', t => {
  fc.assert(
    fc.property(fc.array(wire, { maxLength: 4 }), params => {
      t.notThrows(() => decodeParameters(level.commands.setLevelWithOnOff, params));
      t.notThrows(() => decodeWrite(level, params));
      t.notThrows(() => decodeRefresh(level, params));
    }),
  );
});

test('a write carries several attributes, not known among them', t => {
  const params = encodeWrite(level, { startupLevel: null, defaultTransition: 300 });

  t.deepEqual(decodeWrite(level, params), {
    ok: true,
    value: { startupLevel: null, defaultTransition: 300 },
  });
});

test('what cannot be written is refused on both sides', t => {
  const write = (values: object) => () => encodeWrite(level, values);

  t.throws(write({ level: 5 }), {
    code: 'NOT_WRITABLE',
    message: /writable: defaultTransition, startupLevel/,
  });
  t.throws(write({ startLevel: 5 }), { code: 'UNKNOWN_ATTRIBUTE', message: /did you mean startupLevel/ });
  t.throws(write({ startupLevel: 101 }), { code: 'VALUE_OUT_OF_RANGE' });
  t.throws(write({}), { code: 'MISSING_PARAMETER' });
  t.deepEqual(decodeWrite(level, [1, 5]), { ok: false, reason: 'level cannot be written', field: 'level' });
  t.like(decodeWrite(level, [4, 5, 5, 101]), { ok: false, field: 'startupLevel' });
  t.like(decodeWrite(level, [4, 5, 4, 6]), { ok: false, field: 'defaultTransition' });
  t.false(decodeWrite(level, []).ok);
  t.false(decodeWrite(level, [4]).ok);
  t.false(decodeWrite(level, [99, 1]).ok);
});

test('a refresh names attributes, or none for all', t => {
  t.deepEqual(decodeRefresh(deviceInfo, encodeRefresh(deviceInfo, ['uptime', 'labels'])), {
    ok: true,
    value: ['uptime', 'labels'],
  });
  t.deepEqual(decodeRefresh(deviceInfo, encodeRefresh(deviceInfo)), { ok: true, value: [] });
  t.false(decodeRefresh(deviceInfo, [99]).ok);
});
