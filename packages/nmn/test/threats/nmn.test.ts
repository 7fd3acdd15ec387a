import test from 'ava';

import { testAll } from '../../../cluster-protocol/test/threats/test-all.js';
import { parseConfig } from '../../src/config.js';
import { nmnThreats } from './nmn-threats.js';

testAll(nmnThreats);

test('T33: a configuration with a name that every object inherits is refused by name and pollutes nothing', t => {
  const ownKeys = Reflect.ownKeys(Object.prototype).length;
  const places = ['%', '"membership":{%}', '"membership":{"joins":{%}}', '"relay":{%}', '"listen":{%}'];

  for (const key of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'])
    for (const place of places) {
      const inner = `"${key}":{"polluted":true}`;
      const input = JSON.parse(`{"dataFolder":"/x",${place.replace('%', inner)}}`) as unknown;

      t.throws(() => parseConfig(input), { code: 'CONFIG_INVALID' }, `${place} ${key}`);
    }

  t.is(Reflect.get({}, 'polluted'), undefined);
  t.is(Reflect.ownKeys(Object.prototype).length, ownKeys);
});
