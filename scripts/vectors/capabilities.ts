import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import {
  IMPLICIT_COMMANDS,
  diagnostics,
  encodeEntry,
  encodeMessage,
  encodeParameters,
  encodeQuestion,
  encodeRefresh,
  encodeResponse,
  encodeValue,
  encodeWrite,
  level,
  onOff,
  pack,
  powerLevel,
  t,
  shape,
  telemetry,
  temperatureMeasurement,
  valueToJson,
} from '@coconet/capabilities';
import type {
  CapabilityMessage,
  DataType,
  DescriptionMessage,
  JsonValue,
  StateVersion,
  WireValue,
} from '@coconet/capabilities';

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

/** What a message or wire value says, as JSON: bytes as hexadecimal, times as ISO 8601, integers beyond 2^53 as text. */
export function meaning(value: unknown): JsonValue {
  if (value instanceof Map) {
    const map: ReadonlyMap<unknown, unknown> = value;
    return Object.fromEntries([...map].map(([key, item]) => [String(key), meaning(item)]));
  }
  if (value instanceof Uint8Array || value instanceof Date || typeof value === 'bigint')
    return valueToJson(value);
  if (Array.isArray(value)) return value.map(meaning);
  if (typeof value !== 'object' || value === null) return value as JsonValue;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, meaning(item)]));
}

const at = { capability: 'vectors', member: 'value' };

const valueVector = (name: string, type: DataType, value: unknown) => ({
  name,
  type: type.kind,
  value: valueToJson(value),
  hex: toHex(pack(encodeValue(type, value, at))),
});

const values = () => [
  valueVector('not known', t.bool(), null),
  valueVector('true', t.bool(), true),
  valueVector('a string with two, three and four bytes a character', t.string(), 'Küche – 💡'),
  valueVector('the largest uint8', t.uint8(), 255),
  valueVector('a negative int16', t.int16(), -71),
  valueVector('the largest uint32', t.uint32(), 4_294_967_295),
  valueVector('the smallest int32', t.int32(), -2_147_483_648),
  valueVector('a uint64 that 32 bits hold', t.uint64(), 3_600n),
  valueVector('the largest uint64', t.uint64(), 18_446_744_073_709_551_615n),
  valueVector('the smallest int64', t.int64(), -9_223_372_036_854_775_808n),
  valueVector('a whole float32', t.float32(), 40),
  valueVector('a float32 with a fraction', t.float32(), 12.34),
  valueVector('a float64 that binary32 holds', t.float64(), 21.5),
  valueVector('a float64 that binary32 does not hold', t.float64(), 21.37),
  valueVector('the second value of an enum', t.enum(['off', 'on', 'toggle', 'previous']), 'on'),
  valueVector('a time', t.timestamp(), new Date('2026-01-31T12:00:00.250Z')),
  valueVector('a time before 1970', t.timestamp(), new Date('1969-12-31T23:59:59.999Z')),
  valueVector('bytes', t.bytes(), fromHex('00ff10')),
  valueVector('an array', t.array(t.string(), { arrayLength: 4 }), ['192.0.2.7', '2001:db8::7']),
  valueVector('json', t.json(shape.any()), [{ key: 'room', value: 'Küche' }, 1.5, null, []]),
];

const wireVector = (
  name: string,
  capability: string,
  member: string,
  given: object,
  wire: readonly WireValue[],
) => ({
  name,
  capability,
  member,
  given: meaning(given),
  hex: toHex(pack(wire)),
});

function parameters() {
  const from = new Date('2026-01-31T00:00:00Z');
  const to = new Date('2026-02-01T00:00:00Z');
  return [
    wireVector('no parameters', 'onOff', 'turnOff', {}, encodeParameters(onOff, 'turnOff', {})),
    wireVector('one', 'level', 'setLevel', { level: 40 }, encodeParameters(level, 'setLevel', { level: 40 })),
    wireVector(
      'one left out before one that is there',
      'level',
      'setLevelWithOnOff',
      { restore: true },
      encodeParameters(level, 'setLevelWithOnOff', { restore: true }),
    ),
    wireVector(
      'an enum',
      'level',
      'move',
      { direction: 'down', rate: 12.5 },
      encodeParameters(level, 'move', { direction: 'down', rate: 12.5 }),
    ),
    wireVector(
      'refresh of one attribute',
      'level',
      'refresh',
      { attributes: ['level'] },
      encodeRefresh(level, ['level']),
    ),
    wireVector(
      'write of two attributes, one to "not known"',
      'level',
      'write',
      { defaultTransition: 500, startupLevel: null },
      encodeWrite(level, { defaultTransition: 500, startupLevel: null }),
    ),
    wireVector(
      'a response',
      'diagnostics',
      'ping',
      { rtt: [1.5, 2], loss: 0 },
      encodeResponse(diagnostics, 'ping', { rtt: [1.5, 2], loss: 0 }) ?? [],
    ),
    wireVector(
      'an info request',
      'telemetry',
      'history',
      { channelId: 'cpu', from, to, maxPoints: 100 },
      encodeQuestion(telemetry, 'history', { channelId: 'cpu', from, to, maxPoints: 100 }),
    ),
  ];
}

const state: StateVersion = { stateIncarnation: fromHex('0102030405060708'), version: 4_711 };
const command = { incarnation: fromHex('1112131415161718'), sequence: 9 };
const lastUpdated = new Date('2026-01-31T12:00:00Z');

const description: DescriptionMessage = {
  type: 'description',
  requestId: 7,
  ...state,
  full: true,
  last: true,
  device: {
    name: 'Desk',
    manufacturer: 'ACME',
    powerSource: 'dc',
    protocols: ['ip', 'zigbee'],
    extendable: true,
  },
  resources: [
    {
      resourceId: 'lamp',
      name: 'Lamp',
      capabilities: [
        { capabilityId: onOff.id, revision: 1, commands: [0, 8, 9, 10], attributes: [1] },
        {
          capabilityId: level.id,
          revision: 1,
          commands: [8],
          attributes: [1, 2],
          bounds: [{ attributeId: 1, min: 5, max: 95 }],
        },
        { capabilityId: 'com.acme.mood', instance: 'left', revision: 3, commands: [], attributes: [1] },
      ],
    },
  ],
  removed: ['old lamp'],
};

const reading = { resourceId: 'lamp', realtime: true, lastUpdated, version: 4_711 };

const messages = (): readonly (readonly [name: string, message: CapabilityMessage])[] => [
  ['subscribe to everything', { type: 'subscribe', subscriptionId: 1, filter: {} }],
  [
    'subscribe to some, resumed, with intervals',
    {
      type: 'subscribe',
      subscriptionId: 2,
      filter: { resources: ['lamp'], capabilities: [onOff.id, 'com.acme.mood'] },
      resume: state,
      minInterval: 1_000,
      maxInterval: 60_000,
    },
  ],
  ['unsubscribe', { type: 'unsubscribe', subscriptionId: 2 }],
  [
    'level.setLevel level=40, 5 s',
    {
      type: 'command',
      resourceId: 'lamp',
      capabilityId: level.id,
      commandId: level.commands.setLevel.id,
      timeoutMs: 5_000,
      params: encodeParameters(level, 'setLevel', { level: 40 }),
    },
  ],
  [
    'onOff.turnOn of one instance, not to be started after 30 s',
    {
      type: 'command',
      resourceId: 'zigbee/00124b0012345678/1',
      capabilityId: onOff.id,
      instance: 'left',
      commandId: onOff.commands.turnOn.id,
      timeoutMs: 0,
      params: [],
      expiresInMs: 30_000,
    },
  ],
  [
    'write of an attribute',
    {
      type: 'command',
      resourceId: 'lamp',
      capabilityId: onOff.id,
      commandId: IMPLICIT_COMMANDS.write,
      timeoutMs: 5_000,
      params: encodeWrite(onOff, { startupBehavior: 'previous' }),
    },
  ],
  ['cancel', { type: 'cancel', ...command }],
  ['read all', { type: 'read', requestId: 5, resourceId: 'lamp', capabilityId: level.id }],
  [
    'read some',
    { type: 'read', requestId: 6, resourceId: 'lamp', capabilityId: level.id, attributes: [1, 3] },
  ],
  ['describe', { type: 'describe', requestId: 7 }],
  ['describe what changed since', { type: 'describe', requestId: 8, since: state }],
  [
    'ask diagnostics.report',
    {
      type: 'ask',
      requestId: 9,
      resourceId: 'board',
      capabilityId: diagnostics.id,
      infoRequestId: diagnostics.infoRequests.report.id,
      timeoutMs: 10_000,
      params: encodeQuestion(diagnostics, 'report', { sections: ['links'] }),
    },
  ],
  ['description', description],
  [
    'report of one change',
    {
      type: 'report',
      subscriptionId: 1,
      ...state,
      fromVersion: 4_710,
      snapshot: false,
      last: true,
      entries: [encodeEntry({ ...reading, capability: onOff, attribute: 'on', value: true })],
    },
  ],
  [
    'snapshot of several capabilities, one value never read, one resource gone',
    {
      type: 'report',
      subscriptionId: 1,
      ...state,
      fromVersion: 0,
      snapshot: true,
      last: true,
      entries: [
        encodeEntry({ ...reading, capability: level, attribute: 'level', value: 40, version: 4_000 }),
        encodeEntry({
          ...reading,
          capability: level,
          attribute: 'minLevel',
          value: null,
          lastUpdated: null,
          version: 1,
        }),
        encodeEntry({
          ...reading,
          capability: temperatureMeasurement,
          attribute: 'temperature',
          value: -2.25,
          realtime: false,
          lastUpdated: new Date('2026-01-31T11:59:58.500Z'),
        }),
        encodeEntry({
          ...reading,
          instance: 'ups',
          capability: powerLevel,
          attribute: 'charging',
          value: 'full',
        }),
      ],
      removed: ['old lamp'],
    },
  ],
  ['status inProgress', { type: 'status', ...command, code: 'inProgress', progress: 12.5 }],
  ['status success', { type: 'status', ...command, code: 'success' }],
  [
    'status success with a response',
    {
      type: 'status',
      ...command,
      code: 'success',
      response: encodeResponse(telemetry, 'subscribe', { subscriptionId: 'a1' }) ?? [],
    },
  ],
  [
    'status invalid',
    {
      type: 'status',
      ...command,
      code: 'invalid',
      field: 'level',
      message: 'level is 140, allowed is 0…100 %',
    },
  ],
  [
    'values',
    {
      type: 'values',
      requestId: 5,
      code: 'success',
      entries: [encodeEntry({ ...reading, capability: level, attribute: 'level', value: 12.34 })],
    },
  ],
  ['answer', { type: 'answer', requestId: 9, code: 'success', response: [new Map([['links', 2]])] }],
  ['refused subscription', { type: 'refused', what: 'subscription', id: 2, code: 'limitReached' }],
  ['refused request', { type: 'refused', what: 'request', id: 5, code: 'permissionDenied' }],
];

const REFUSED: readonly (readonly [why: string, hex: string])[] = [
  ['nothing', ''],
  ['not a message', 'c0'],
  ['unknown message type', '9163'],
  ['a field is missing', '9102'],
  ['bytes after the end', '92020100'],
  ['truncated', '9202cd01'],
  ['an array of 2^32 - 1 elements', 'ddffffffff'],
  ['a map of 2^32 - 1 entries', 'dfffffffff'],
  ['bytes of a length beyond the end', 'c6ffffffff'],
  ['33 nested arrays', `${'91'.repeat(33)}c0`],
  ['the unused type', '9202c1'],
  ['an extension type', '9202d40100'],
  ['a record of a JavaScript library', '92d4720091a16101'],
  ['infinity', '9202ca7f800000'],
  ['not a number', '9202cb7ff8000000000000'],
  ['malformed UTF-8', '97a3c328a00000000090'],
  ['a map key that is no string', '95140500810102c0'],
  ['the same map key twice', '941405009182a16101a16102'],
];

/** All vectors of the capability service, made by today's code. */
export const capabilityVectors = (): JsonValue =>
  meaning({
    description:
      'Capability service, docs/spec/07-capabilities.md. In "value", "given" and "message" bytes are hexadecimal text, times ISO 8601, integers beyond 2^53 - 1 decimal text. Readers refuse all of "refused".',
    values: values(),
    parameters: parameters(),
    messages: messages().map(([name, message]) => ({ name, message, hex: toHex(encodeMessage(message)) })),
    refused: REFUSED.map(([why, hex]) => ({ why, hex })),
  });

const FILE = new URL('../../test-vectors/capabilities.json', import.meta.url);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(new URL('.', FILE), { recursive: true });
  writeFileSync(FILE, await format(JSON.stringify(capabilityVectors()), { parser: 'json', printWidth: 110 }));
}
