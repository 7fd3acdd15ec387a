import {
  decodeAnswer,
  decodeEntry,
  decodeMessage,
  decodeParameters,
  decodeQuestion,
  decodeRefresh,
  decodeResponse,
  decodeValue,
  decodeWrite,
  CapabilityError,
  type AttributeDefinition,
  type CapabilityId,
  type InfoRequestDefinition,
  type CapabilityMessage,
  type DataType,
  encodeMessage,
  type Entry,
  FIRST_COMMAND_ID,
  pack,
  splitDescription,
  splitReport,
  STANDARD_CAPABILITIES,
  standardRegistry,
  unpack,
  valueFromText,
  type WireValue,
} from '@coconet/capabilities';
import { decodeText, encodeText, sameBytes } from '@coconet/cluster-protocol/core';

import { type Decoder, type Reading, wayOf } from './decoder.js';
import { vectorBytes } from './vectors.js';

const MESSAGES = vectorBytes('capabilities', 'messages');
/** Every data type that a standard capability uses. */
const TYPES: readonly DataType[] = STANDARD_CAPABILITIES.flatMap(({ attributes }) =>
  Object.values<AttributeDefinition>(attributes).map(({ type }) => type),
);

/** What reads the messages of the capability service. */
export const CAPABILITY_DECODERS: Readonly<Record<string, Decoder>> = {
  messagePack: {
    about: 'MessagePack values',
    weight: 3,
    seeds: [...MESSAGES, ...vectorBytes('capabilities', 'values'), ...vectorBytes('capabilities', 'refused')],
    read: bytes => {
      const unpacked = unpack(bytes);
      if (!unpacked.ok) return { way: wayOf('value', unpacked) };
      const again = unpack(pack(unpacked.value));
      return {
        way: shapeOf(unpacked.value),
        flaws: again.ok ? [] : ['a value that was read cannot be said again'],
      };
    },
  },
  capabilityMessage: {
    about: 'messages of the capability service, and what is in them',
    weight: 6,
    seeds: MESSAGES,
    read: readMessage,
  },
  capabilityValue: {
    about: 'values of all data types of the standard',
    weight: 2,
    seeds: vectorBytes('capabilities', 'values').concat(vectorBytes('capabilities', 'parameters')),
    read: bytes => {
      const unpacked = unpack(bytes);
      if (!unpacked.ok) return { way: 'no value' };
      const taken = TYPES.filter(type => decodeValue(type, unpacked.value).ok).map(({ kind }) => kind);
      return { way: [...new Set(taken)].sort().join(' ') };
    },
  },
  capabilityText: {
    about: 'values as people write them',
    seeds: ['true', '40', '-1.5', '"x"', '{"a":[1]}', '2026-01-01T00:00:00Z', 'c0ffee'].map(encodeText),
    read: bytes => {
      const text = decodeText(bytes);
      if (text === undefined) return { way: 'no text' };
      const taken = TYPES.filter(type => isValue(type, text)).map(({ kind }) => kind);
      return { way: [...new Set(taken)].sort().join(' ') };
    },
  },
};

function isValue(type: DataType, text: string): boolean {
  try {
    valueFromText(type, text, { capability: 'x', member: 'y' });
    return true;
  } catch (error) {
    if (error instanceof CapabilityError) return false;
    throw error;
  }
}

const shapeOf = (value: WireValue): string =>
  Array.isArray(value)
    ? `list ${Math.min(value.length, 4)}`
    : value === null
      ? 'null'
      : value.constructor.name;

function readMessage(bytes: Uint8Array): Reading {
  const decoded = decodeMessage(bytes);
  if (!decoded.ok) return { way: wayOf('message', decoded) };
  const message = decoded.value;
  const encoded = said(message);
  if (!encoded) return { way: `${message.type} of a newer version` };
  const again = decodeMessage(encoded);
  const flaws: string[] = [];
  if (!again.ok) flaws.push(`${message.type}: what was read cannot be read again: ${again.reason}`);
  else if (!sameBytes(encodeMessage(again.value), encoded))
    flaws.push(`${message.type}: read again it is another`);
  return { way: `${message.type} ${contentOf(message)}`, flaws };
}

/** A message that was read, said again; names that only a newer version has read as `unknown`, which nobody says. */
function said(message: CapabilityMessage): Uint8Array | undefined {
  try {
    return encodeMessage(message);
  } catch (error) {
    if (error instanceof CapabilityError && error.message.includes("is 'unknown'")) return undefined;
    throw error;
  }
}

/** What the receiver makes of the parts of a message. */
function contentOf(message: CapabilityMessage): string {
  switch (message.type) {
    case 'command':
      return commandOf(message.capabilityId, message.commandId, message.params);
    case 'ask': {
      const definition = standardRegistry.byId(message.capabilityId);
      const request = Object.values(definition?.infoRequests ?? {}).find(
        ({ id }) => id === message.infoRequestId,
      );
      if (!request) return 'unknown';
      return wayOf('question', decodeQuestion(request, message.params));
    }
    case 'answer':
      return wayOf('answer', decodeAnswers(message.response));
    case 'status':
      return wayOf('status', decodeResponses(message.response));
    case 'report':
      splitReport(message, 1_000);
      return entriesOf(message.entries);
    case 'values':
      return entriesOf(message.entries);
    case 'description':
      splitDescription(message, 1_000);
      return `${Math.min(4, message.resources.length)}`;
    default:
      return '';
  }
}

function commandOf(capabilityId: CapabilityId, commandId: number, params: readonly WireValue[]): string {
  const definition = standardRegistry.byId(capabilityId);
  if (!definition) return 'unknown';
  if (commandId < FIRST_COMMAND_ID) {
    decodeRefresh(definition, params);
    return wayOf('write', decodeWrite(definition, params));
  }
  const command = Object.values(definition.commands).find(({ id }) => id === commandId);
  return command ? wayOf(command.name, decodeParameters(command, params)) : 'no such command';
}

// A client knows what it asked; here any answer is read as the answer to everything.
function decodeResponses(wire: readonly WireValue[] | undefined): ReturnType<typeof decodeResponse> {
  const commands = STANDARD_CAPABILITIES.flatMap(({ commands }) => Object.values(commands));
  const all = commands.map(command => decodeResponse(command, wire));
  return all.find(({ ok }) => !ok) ?? all[0]!;
}

function decodeAnswers(wire: readonly WireValue[] | undefined): ReturnType<typeof decodeAnswer> {
  const requests = STANDARD_CAPABILITIES.flatMap(({ infoRequests }) =>
    Object.values<InfoRequestDefinition>(infoRequests),
  );
  const all = requests.map(request => decodeAnswer(request, wire));
  return all.find(({ ok }) => !ok) ?? all[0]!;
}

function entriesOf(entries: readonly Entry[]): string {
  const ways = entries.map(entry => {
    const read = decodeEntry(standardRegistry, entry);
    return read.ok ? read.value.kind : 'refused';
  });
  return [...new Set(ways)].sort().join(' ');
}
