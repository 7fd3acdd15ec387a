import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import test from 'ava';

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
