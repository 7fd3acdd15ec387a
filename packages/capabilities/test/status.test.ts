import test from 'ava';
import { STATUS_CODES, STATUS_NUMBERS, isSuccess, isTerminal, statusOfNumber } from '@coconet/capabilities';

test('every code has a number of its own and is found by it', t => {
  t.is(new Set(Object.values(STATUS_NUMBERS)).size, STATUS_CODES.length);
  for (const code of STATUS_CODES) t.is(statusOfNumber(STATUS_NUMBERS[code]), code);
});

test('the order of the codes is that once published', t => {
  t.deepEqual(
    [...STATUS_CODES],
    [
      ...'success successInsecure partialSuccess partialSuccessInsecure inProgress invalid failure timeout'.split(
        ' ',
      ),
      ...'rejected busy authFailed permissionDenied resourceNotSupported commandNotSupported notFound'.split(
        ' ',
      ),
      ...'connectivityError networkDisconnected deviceUnreachable networkBlocked tokenNotSet'.split(' '),
      ...'tokenRefreshFailed discoveryNotApplicable limitReached conflict outcomeUnknown expired cancelled'.split(
        ' ',
      ),
      'unknown',
    ],
  );
  t.deepEqual(Object.values(STATUS_NUMBERS), [...Array(27).keys(), 255]);
});

test('only inProgress leaves a command open', t => {
  t.deepEqual(
    STATUS_CODES.filter(code => !isTerminal(code)),
    ['inProgress'],
  );
  t.true(isSuccess('partialSuccess') && !isSuccess('inProgress') && !isSuccess('failure'));
});

test('a number of a later version is unknown', t => {
  t.is(statusOfNumber(200), 'unknown');
});
