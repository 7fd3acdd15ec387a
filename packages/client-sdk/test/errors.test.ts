import { readFile } from 'node:fs/promises';
import test from 'ava';
import { CAPABILITY_ERROR_CODES, isSuccess, STATUS_CODES } from '@coconet/capabilities';
import { CLUSTER_ERROR_CODES } from '@coconet/cluster-protocol';
import { DEVICE_ERROR_CODES } from '../../device-sdk/src/errors.js';
import { CLIENT_ERROR_CODES, COMMAND_ERROR_CODES, CommandError } from '../src/index.js';
import { isFailure } from '../src/errors.js';

const page = await readFile(new URL('../../../docs/guides/errors.md', import.meta.url), 'utf8');

/** The first column of the table under a heading. */
function codesUnder(heading: string): string[] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/^\| `(\w+)`/gm)].map(([, code = '']) => code);
}

for (const [heading, codes] of [
  ['ClusterError', CLUSTER_ERROR_CODES],
  ['CapabilityError', CAPABILITY_ERROR_CODES],
  ['ClientError', CLIENT_ERROR_CODES],
  ['CommandError', COMMAND_ERROR_CODES],
  ['DeviceError', DEVICE_ERROR_CODES],
] as const)
  test(`the page of errors lists the codes of ${heading}, all and no others`, t => {
    t.deepEqual(codesUnder(heading).sort(), [...codes].sort());
  });

test('every status that is no success has a code in capitals', t => {
  const failures = STATUS_CODES.filter(isFailure);

  t.deepEqual(
    failures.map(status => new CommandError(status, '').code),
    [...COMMAND_ERROR_CODES],
  );
  t.deepEqual(
    STATUS_CODES.filter(status => !isFailure(status)),
    STATUS_CODES.filter(status => isSuccess(status) || status === 'inProgress'),
  );
});

test('the page of errors has the status beside each code that a command can end with', t => {
  const section = page.split('\n## CommandError\n')[1]?.split('\n## ')[0] ?? '';
  const rows = [...section.matchAll(/^\| `(\w+)` +\| `(\w+)`/gm)].map(
    ([, code, status]) => `${code} ${status}`,
  );

  t.deepEqual(
    rows.sort(),
    STATUS_CODES.filter(isFailure)
      .map(status => `${new CommandError(status, '').code} ${status}`)
      .sort(),
  );
});
