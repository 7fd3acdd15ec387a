import test from 'ava';

import { DEFAULT_CONFIG, DEFAULT_PORT, parseConfig } from '../src/config.js';
import { NMN_ERROR_CODES } from '../src/errors.js';

test('a data folder is enough, everything else has a default', t => {
  t.deepEqual(parseConfig({ dataFolder: './nmn' }), { dataFolder: './nmn', ...DEFAULT_CONFIG });
  t.is(DEFAULT_PORT, 28_620);
});

test('a setting that is given replaces its default and no other', t => {
  const config = parseConfig({
    dataFolder: 'x',
    relay: { nodeBurst: 5 },
    rendezvous: { asking: { perSecond: 1 } },
  });

  t.is(config.relay.nodeBurst, 5);
  t.is(config.relay.leases, DEFAULT_CONFIG.relay.leases);
  t.deepEqual(config.rendezvous.asking, { ...DEFAULT_CONFIG.rendezvous.asking, perSecond: 1 });
});

const wrong: readonly (readonly [unknown, RegExp])[] = [
  [undefined, /^the configuration is missing, but must be an object/],
  [[], /^the configuration is \[\]/],
  [{}, /^dataFolder is missing, but must be a text/],
  [{ dataFolder: '' }, /^dataFolder is ""/],
  [
    { dataFolder: 'x', listen: { port: 65_536 } },
    /^listen\.port is 65536, but must be a port from 1 to 65535/,
  ],
  [{ dataFolder: 'x', listen: { port: '80' } }, /^listen\.port is "80"/],
  [{ dataFolder: 'x', listen: { bind: [1] } }, /^listen\.bind is \[1\], but must be a list of texts/],
  [{ dataFolder: 'x', listen: [] }, /^listen is \[\], but must be an object/],
  [{ dataFolder: 'x', http: { enabled: 'yes' } }, /^http\.enabled is "yes", but must be true or false/],
  [{ dataFolder: 'x', logLevel: 'loud' }, /^logLevel is "loud", but must be one of error, warn, info, debug/],
  [{ dataFolder: 'x', relay: { leases: 0 } }, /^relay\.leases is 0, but must be a whole number above 0/],
  [
    { dataFolder: 'x', relay: { leaseLife: -1 } },
    /^relay\.leaseLife is -1, but must be a number of milliseconds/,
  ],
  [{ dataFolder: 'x', relay: { leaseLife: Number.NaN } }, /^relay\.leaseLife is null/],
  [{ dataFolder: 'x', membership: { joins: { burst: 1 } } }, /^membership\.joins\.burst is not a setting/],
  [{ dataFolder: 'x', lissten: {} }, /^lissten is not a setting; there are: .*dataFolder/],
  [JSON.parse('{"dataFolder":"x","__proto__":{"port":1}}'), /^__proto__ is not a setting/],
];
for (const [input, message] of wrong) {
  test(`${JSON.stringify(input)} is refused by name`, t => {
    t.throws(() => parseConfig(input), { code: 'CONFIG_INVALID', message });
  });
}

test('error codes are capitals, each once', t => {
  t.is(new Set(NMN_ERROR_CODES).size, NMN_ERROR_CODES.length);
  for (const code of NMN_ERROR_CODES) t.regex(code, /^[A-Z]+(_[A-Z]+)*$/);
});
