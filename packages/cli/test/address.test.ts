import test from 'ava';
import fc from 'fast-check';

import { parseAddresses, parseAssignments, parseExact, parseMember, parseResource } from '../src/address.js';
import { UsageError } from '../src/errors.js';

test('an address is cut at its first slash, because resource ids may have more', t => {
  t.deepEqual(parseResource('Desk/lamp'), { device: 'Desk', resource: 'lamp' });
  t.deepEqual(parseResource('My desk/shelf/lamp 2'), { device: 'My desk', resource: 'shelf/lamp 2' });
  t.deepEqual(parseResource('#17/lamp'), { device: '#17', resource: 'lamp' });
  t.deepEqual(parseResource('Desk'), { device: 'Desk', resource: undefined });
});

test('a resource and a member are what they were put together from', t => {
  const device = fc
    .string({ minLength: 1, maxLength: 20 })
    .filter(text => !text.includes('/') && !text.startsWith('#'));
  const resource = fc.string({ minLength: 1, maxLength: 20 });
  const name = fc.stringMatching(/^[a-z][A-Za-z0-9]{0,8}$/);

  fc.assert(
    fc.property(device, resource, name, name, (d, r, capability, member) => {
      t.deepEqual(parseExact(`${d}/${r}`, `${capability}.${member}`), {
        device: d,
        resource: r,
        capability,
        name: member,
      });
    }),
  );
});

test('any text is an address or an error of the user, never a bug', t => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 4 }), words => {
      for (const parse of [
        () => parseAddresses(words),
        () => parseAssignments(words),
        () => parseResource(words[0]!),
        () => parseMember(words[0]!),
      ])
        try {
          parse();
        } catch (error) {
          if (!(error instanceof UsageError)) throw error;
        }
    }),
  );
  t.pass();
});

test('several addresses may follow each other, each with any number of members', t => {
  const addresses = parseAddresses([
    'Desk/lamp',
    'onOff.on',
    'level',
    'Desk/fan',
    '#17',
    '#18/x',
    'onOff.on',
  ]);

  t.deepEqual(addresses, [
    { device: 'Desk', resource: 'lamp', member: { capability: 'onOff', name: 'on' } },
    { device: 'Desk', resource: 'lamp', member: { capability: 'level', name: undefined } },
    { device: 'Desk', resource: 'fan', member: undefined },
    { device: '#17', resource: undefined, member: undefined },
    { device: '#18', resource: 'x', member: { capability: 'onOff', name: 'on' } },
  ]);
});

test('a parameter is cut at its first equals sign, and may be empty', t => {
  t.deepEqual(
    parseAssignments(['a=1', 'b=', 'c=x=y', '__proto__=1']),
    Object.fromEntries([
      ['a', '1'],
      ['b', ''],
      ['c', 'x=y'],
      ['__proto__', '1'],
    ]),
  );
});
