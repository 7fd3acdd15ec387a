import type { Mutant } from '../mutant.js';

/** How bytes become integers and frames. */
export const WIRE: readonly Mutant[] = [
  {
    name: 'an integer is read in a longer form than it needs',
    file: 'wire/varint.ts',
    original: 'value <= MAX_VARINT && varintLength(value) === length',
    replacement: 'value <= MAX_VARINT',
    tests: ['wire/vectors'],
  },
  {
    name: 'an integer above 2^53 is read',
    file: 'wire/varint.ts',
    original: 'value <= MAX_VARINT && varintLength(value) === length',
    replacement: 'varintLength(value) === length',
    tests: ['wire/vectors'],
  },
  {
    name: 'an integer of a frame reaches into the tag behind it',
    file: 'wire/frame-reader.ts',
    original: 'value < 0 || this.#position + varintLength(value) > this.#end',
    replacement: 'value < 0',
    tests: ['wire/frame'],
  },
  {
    name: 'the bytes of a frame reach into the tag behind it',
    file: 'wire/frame-reader.ts',
    original: 'length > limit || length > this.#end - this.#position',
    replacement: 'length > limit || length > this.#bytes.length - this.#position',
    tests: ['wire/frame'],
  },
  {
    name: 'a range of an ack begins below 0',
    file: 'wire/frame-reader.ts',
    original: '      if (first < 0) this.failed = true;\n',
    replacement: '',
    tests: ['wire/frame'],
  },
  {
    name: 'an ack has more ranges than there is room for',
    file: 'wire/frame-reader.ts',
    original: 'ranges < 1 || ranges > MAX_ACK_RANGES',
    replacement: 'ranges < 1',
    tests: ['wire/frame'],
  },
  {
    name: 'a fragment lies beyond the end of the largest message',
    file: 'wire/frame-reader.ts',
    original: 'this.offset < 1 || length < 1 || this.offset + length > MAX_MESSAGE',
    replacement: 'this.offset < 1 || length < 1',
    tests: ['wire/frame'],
  },
  {
    name: 'a message lies a whole window above its floor',
    file: 'wire/frame-reader.ts',
    original: 'aboveFloor >= MESSAGE_WINDOW || this.floor < 0',
    replacement: 'aboveFloor > MESSAGE_WINDOW || this.floor < 0',
    tests: ['wire/frame'],
  },
  {
    name: 'a first fragment is longer than its message',
    file: 'wire/frame-reader.ts',
    original: 'this.total > MAX_MESSAGE || length > this.total ||',
    replacement: 'this.total > MAX_MESSAGE ||',
    tests: ['wire/frame'],
  },
  {
    name: 'a stream goes on beyond the length that it may have',
    file: 'wire/frame-reader.ts',
    original: '    if (this.offset + length > MAX_STREAM_LENGTH) this.failed = true;\n',
    replacement: '',
    tests: ['wire/frame'],
  },
  {
    name: 'a frame of any unknown type is skipped',
    file: 'wire/frame-reader.ts',
    original: 'this.type < SKIPPABLE_FRAMES.first || this.type > SKIPPABLE_FRAMES.last',
    replacement: 'this.type < 0',
    tests: ['wire/frame', 'wire/vectors'],
  },
  {
    name: 'a STUN answer with a wrong fingerprint is believed',
    file: 'wire/stun.ts',
    original:
      'if (!right || readUint32(value, 0) !== (crc32(datagram, at) ^ FINGERPRINT_MASK) >>> 0) return undefined;',
    replacement: 'if (!right) return undefined;',
    tests: ['wire/stun'],
  },
  {
    name: 'base64url with stray bits at its end is read',
    file: 'base/bytes.ts',
    original: 'return (held & ((1 << bits) - 1)) === 0 ? bytes : undefined;',
    replacement: 'return bytes;',
    tests: ['network/join-uri'],
  },
];
