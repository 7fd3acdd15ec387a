import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';

import { handshakeThreats } from './handshake-threats.js';
import { sessionThreats } from './session-threats.js';
import { strangerThreats } from './stranger-threats.js';
import { testAll } from './test-all.js';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

/** What is no secret although its name sounds like one, and why its comparison may end early. */
const HARMLESS = new Map([
  ['packages/cluster-protocol/src/session/responder.ts', 'waiting.answer.mac1'], // Both were on the wire in clear.
  ['packages/cluster-protocol/src/network/secret-ring.ts', 'current.secret'], // The NMN that asks knows the secret.
]);

const COMPARES =
  /\b(?:sameBytes|compareBytes|Buffer\.compare)\(([^;]*)\)|\b(\w*(?:[Ss]ecret|[Pp]sk|[Pp]assword|[Mm]ac1?|[Tt]oken))\.equals\(/g;
const SECRET = /secret|psk|claim(?!Id)|password|mac1?\b|token|privateKey/i;

test('T31: no secret is compared by anything that stops at the first difference', t => {
  const found: string[] = [];
  for (const file of sources())
    for (const [match, operands = ''] of readFileSync(join(ROOT, file), 'utf8').matchAll(COMPARES)) {
      const harmless = HARMLESS.get(file);
      if (SECRET.test(operands) && (harmless === undefined || !operands.includes(harmless)))
        found.push(`${file}: ${match}`);
    }

  t.deepEqual(found, []);
});

function sources(): string[] {
  return readdirSync(join(ROOT, 'packages'), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
    .map(entry => relative(ROOT, join(entry.parentPath, entry.name)))
    .filter(file => /^packages\/[^/]+\/src\//.test(file));
}

testAll([...sessionThreats, ...handshakeThreats, ...strangerThreats]);
