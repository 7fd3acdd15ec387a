import { CAPABILITY_ERROR_CODES, CapabilityError } from '@coconet/capabilities';
import { CLIENT_ERROR_CODES, COMMAND_ERROR_CODES, CommandError } from '@coconet/client-sdk';
import { CLUSTER_ERROR_CODES, ClusterError } from '@coconet/cluster-protocol';
import { NMN_ERROR_CODES } from '@coconet/nmn';
import test from 'ava';

import { CLI_ERROR_CODES, CliError, UsageError } from '../src/errors.js';
import { FAILURE_CODES, failureOf } from '../src/failure.js';

const ALL: readonly string[] = [
  ...CLI_ERROR_CODES,
  ...CAPABILITY_ERROR_CODES,
  ...CLIENT_ERROR_CODES,
  ...COMMAND_ERROR_CODES,
  ...CLUSTER_ERROR_CODES,
  ...NMN_ERROR_CODES,
];

test('the tool explains every code there is, and no other', t => {
  t.deepEqual([...FAILURE_CODES].sort(), [...new Set(ALL)].sort());
});

test('what was typed wrongly ends with 2, what went wrong with 1', t => {
  t.is(failureOf(new UsageError('x')).exit, 2);
  t.is(failureOf(new CapabilityError('VALUE_OUT_OF_RANGE', 'x')).exit, 2);
  t.is(failureOf(new ClusterError('JOIN_URI_INVALID', 'x')).exit, 2);
  t.is(failureOf(new ClusterError('JOIN_REFUSED', 'x')).exit, 1);
  t.is(failureOf(new CommandError('timeout', 'x')).exit, 1);
  t.is(failureOf(new CliError('NO_ANSWER', 'x')).exit, 1);
});

test('the word of a device is told beside the code', t => {
  const failure = failureOf(new CommandError('busy', 'the door is moving', { answered: true }));

  t.like(failure, { code: 'BUSY', status: 'busy', message: 'the door is moving' });
});

test('an error of the operating system says what to do about it', t => {
  const failure = failureOf(Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' }));

  t.like(failure, { code: 'EACCES', exit: 1 });
  t.truthy(failure.next);
});

test('anything else is a bug of ours, said so, without its stack', t => {
  const failure = failureOf(new TypeError('x is not a function'));

  t.like(failure, { code: 'INTERNAL', exit: 1 });
  t.true(failure.message.endsWith('x is not a function'));
  t.false(failure.message.includes('    at '));
});
