import test from 'ava';
import fc from 'fast-check';
import { ClusterError, toBase64Url } from '../../src/base/index.js';
import { isSmallOrder } from '../../src/crypto/index.js';
import {
  formatJoinUri,
  formatOperatorUri,
  parseJoinUri,
  parseOperatorUri,
  type JoinUri,
} from '../../src/network/index.js';
import { hex, vectors } from '../crypto/providers.js';

const NET = 'AAECAwQFBgcICQoLDA0ODw';
const KEY = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';
const CLAIM = '8PHy8_T19vf4-fr7_P3-_w';
const GOOD = `coconet://nmn.example.org:47700/#v=1&net=${NET}&key=${KEY}&claim=${CLAIM}`;

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const host = fc.oneof(
  fc.ipV4(),
  fc.ipV6().filter(address => !address.includes('.')),
  fc.domain().filter(name => name.length < 100),
);
const hosts = fc.array(fc.record({ host, port: fc.integer({ min: 1, max: 65535 }) }), {
  minLength: 1,
  maxLength: 8,
});
const uri: fc.Arbitrary<JoinUri> = fc.record(
  {
    network: bytes(16),
    nmnKey: bytes(32).filter(key => !isSmallOrder(key)),
    claim: bytes(16),
    hosts,
    webSocket: fc.constantFrom('https://nmn.example.org/ws?a=1&b=2', 'https://[::1]:8443/'),
    name: fc.string({ maxLength: 30, unit: 'grapheme' }),
  },
  { requiredKeys: ['network', 'nmnKey', 'claim', 'hosts'] },
);

test('a join URI comes back from its text', t => {
  fc.assert(
    fc.property(
      uri.filter(({ hosts: all }) => all.length < 6),
      value => {
        const text = formatJoinUri(value);

        t.deepEqual(parseJoinUri(text), value);
        t.regex(text, /^[\x21-\x7e]+$/, 'a QR code and a shell take it');
      },
    ),
    { numRuns: 200 },
  );
});

test('the parts of a URI are where people look for them', t => {
  const text = `${GOOD}&host=192.0.2.1:47700&host=[2001:db8::1]:443&ws=https://nmn.example.org/ws&name=Ada%E2%80%99s%20home`;

  t.like(parseJoinUri(text), {
    hosts: [
      { host: 'nmn.example.org', port: 47700 },
      { host: '192.0.2.1', port: 47700 },
      { host: '2001:db8::1', port: 443 },
    ],
    webSocket: 'https://nmn.example.org/ws',
    name: 'Ada’s home',
  });
});

test('spaces around a URI, capitals in its scheme, a missing slash and unknown parts do no harm', t => {
  const expected = parseJoinUri(GOOD);

  t.deepEqual(parseJoinUri(`\n ${GOOD}\r\n`), expected);
  t.deepEqual(parseJoinUri(GOOD.replace('coconet', 'COCONET')), expected);
  t.deepEqual(parseJoinUri(GOOD.replace('/#', '#')), expected);
  t.deepEqual(parseJoinUri(`${GOOD}&later=1`), expected);
});

test('each wrong URI gets a sentence that says what is wrong', t => {
  const without = (name: string): string =>
    GOOD.replace(new RegExp(`[&#]${name}=[^&]*`), match => (match.startsWith('#') ? '#' : ''));
  const table: [text: string, message: RegExp][] = [
    ['', /is empty/],
    ['hello', /begins with coconet:\/\/, this one does not/],
    ['https://nmn.example.org/#v=1', /begins with coconet:\/\//],
    [
      `coconet-operator://h:1/#v=1&key=${KEY}&token=${CLAIM}`,
      /this is an operator URI, which creates networks/,
    ],
    [
      'coconet://nmn.example.org:47700/',
      /ends before its #: a shell cuts it there unless it stands in quotes/,
    ],
    [GOOD.slice(0, -1), /claim=, the claim, has 21 characters instead of 22: it was cut off/],
    [GOOD.slice(0, -22), /has 0 characters instead of 22: it was cut off/],
    [`${GOOD}A`, /has 23 characters instead of 22: something was added/],
    [
      GOOD.replace(CLAIM, '8PHy8_T19vf4-fr7_P3-_!'),
      /claim=, the claim, holds a character that cannot be there/,
    ],
    [GOOD.replace(CLAIM, '8PHy8_T19vf4-fr7_P3-_x'), /holds a character that cannot be there/],
    [without('net'), /no net=, the network id: it is incomplete/],
    [without('key'), /no key=, the key of the NMN: it is incomplete/],
    [without('claim'), /no claim=, the claim: it is incomplete/],
    [without('v'), /no v=/],
    [GOOD.replace('v=1', 'v=2'), /of version 2, and this program understands version 1: update the program/],
    [GOOD.replace('v=1', 'v=x'), /v=x is not a version/],
    [`${GOOD}&net=${NET}`, /net= more than once/],
    [GOOD.replace(':47700', ''), /address nmn.example.org has no port/],
    [GOOD.replace(':47700', ':'), /has no port/],
    [GOOD.replace(':47700', ':0'), /port 0 of nmn.example.org is not a number from 1 to 65535/],
    [GOOD.replace(':47700', ':65536'), /port 65536/],
    [GOOD.replace(':47700', ':1e3'), /port 1e3/],
    [GOOD.replace('nmn.example.org', ''), /has no host/],
    [GOOD.replace('nmn.example.org', '::1'), /an IPv6 address stands in brackets/],
    [GOOD.replace('nmn.example.org', '[::1::2]'), /::1::2 is not a host name or IP address/],
    [GOOD.replace('nmn.example.org', '[1:2:3]'), /is not a host name/],
    [GOOD.replace('nmn.example.org', 'a b'), /a b is not a host name/],
    [GOOD.replace('nmn.example.org', 'user@host'), /is not a host name/],
    [GOOD.replace('/#', '/path/#'), /has a path/],
    [`${GOOD}${'&host=h:1'.repeat(8)}`, /names 9 addresses; 8 are allowed/],
    [`${GOOD}&host=h`, /address h has no port/],
    [`${GOOD}&ws=http://plain.example.org`, /is not an https:\/\/ address/],
    [`${GOOD}&name=%zz`, /wrong percent sign/],
    [`${GOOD}&name=%ff`, /wrong percent sign/],
    [`${GOOD}&name`, /no = in part 5 behind its #/],
    [`${GOOD}&name=${'x'.repeat(2048)}`, /longer than 2048 characters/],
  ];
  for (const [text, message] of table) {
    const error = t.throws(() => parseJoinUri(text), { instanceOf: ClusterError, message }, text);
    t.is(error.code, 'JOIN_URI_INVALID');
    t.regex(error.message, /\.$/, 'a sentence');
  }
});

test('a key that no NMN can have is refused before anybody is called', t => {
  for (const point of vectors<{ lowOrder: readonly string[] }>('x25519.json').lowOrder.map(hex)) {
    const key = toBase64Url(point);

    const expected = {
      code: 'JOIN_URI_INVALID',
      message: /key=, the key of the NMN, is none that an NMN can have/,
    };
    t.throws(() => parseJoinUri(GOOD.replace(KEY, key)), expected);
    t.throws(() => parseOperatorUri(`coconet-operator://h:1/#v=1&key=${key}&token=${CLAIM}`), expected);
  }
});

test('any text is a URI or a JOIN_URI_INVALID', t => {
  const mutated = fc
    .tuple(fc.nat(GOOD.length - 1), fc.string({ maxLength: 3 }))
    .map(([at, text]) => GOOD.slice(0, at) + text + GOOD.slice(at + 1));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map(text => `coconet://${text}`),
        mutated,
      ),
      text => {
        try {
          parseJoinUri(text);
        } catch (error) {
          t.is((error as ClusterError).code, 'JOIN_URI_INVALID');
        }
      },
    ),
    { numRuns: 500 },
  );
  t.pass();
});

test('an error never repeats the claim', t => {
  for (const text of [
    `${GOOD}A`,
    GOOD.slice(0, -1),
    GOOD.replace(CLAIM, '8PHy8_T19vf4-fr7_P3-_x'),
    `${GOOD}%z`,
    GOOD.replace('claim=', ''),
  ]) {
    const error = t.throws(() => parseJoinUri(text));
    t.false(error.message.includes('8PHy8'));
  }
});

test('a URI without an address, or with too many, cannot be made', t => {
  const value = parseJoinUri(GOOD);
  for (const count of [0, 9])
    t.throws(
      () =>
        formatJoinUri({
          ...value,
          hosts: new Array<JoinUri['hosts'][0]>(count).fill({ host: 'h', port: 1 }),
        }),
      {
        message: new RegExp(`1 to 8 addresses, not ${count}`),
      },
    );
});

test('an operator URI comes back from its text, and a join URI is not one', t => {
  const { nmnKey, claim: token, hosts: all } = parseJoinUri(`${GOOD}&host=[::1]:2`);
  const value = { nmnKey, token, hosts: all };

  t.deepEqual(parseOperatorUri(formatOperatorUri(value)), value);
  t.throws(() => parseOperatorUri(GOOD), { message: /An operator URI is needed, and this is a join URI/ });
});
