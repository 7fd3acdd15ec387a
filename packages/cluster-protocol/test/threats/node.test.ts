import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import test from 'ava';

import { SecretRing } from '../../src/network/index.js';
import { keyThreats } from './key-threats.js';
import { memberThreats } from './member-threats.js';
import { testAll } from './test-all.js';

testAll([...keyThreats, ...memberThreats]);

test('T22: what the NMN says of the current secret replaces what a member said of it', t => {
  const ring = new SecretRing();
  ring.add({ epoch: 3, secret: new Uint8Array(32).fill(6) });

  t.true(ring.correct({ epoch: 3, secret: new Uint8Array(32).fill(7) }));
  t.false(ring.correct({ epoch: 3, secret: new Uint8Array(32).fill(7) }));
  t.false(ring.correct({ epoch: 4, secret: new Uint8Array(32).fill(8) }));

  t.deepEqual(ring.current, { epoch: 3, secret: new Uint8Array(32).fill(7) });
});

test('T33: members talk and bear nonsense with frozen prototypes and without __proto__', async t => {
  const program = fileURLToPath(new URL('frozen-house.ts', import.meta.url));

  const { stdout } = await promisify(execFile)(process.execPath, [
    '--disable-proto=throw',
    '--import=tsx',
    '--conditions=coconet-source',
    program,
  ]);

  t.deepEqual(JSON.parse(stdout), { failures: [], added: 0 });
});
