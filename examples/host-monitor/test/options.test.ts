import test from 'ava';

import { readOptions } from '../src/options.js';

test('without anything the name is that of the host, and the identity lies in .coconet', t => {
  t.deepEqual(readOptions([], {}, 'attic.example.org'), {
    name: 'attic',
    join: undefined,
    store: '.coconet/host-monitor',
    json: false,
    help: false,
  });
});

test('the environment gives invitation and home, and an empty one is none', t => {
  const given = readOptions([], { COCONET_JOIN: 'coconet://h:1/#v=1', COCONET_HOME: '/home' }, 'attic');
  const empty = readOptions([], { COCONET_JOIN: '', COCONET_HOME: '' }, 'attic');

  t.is(given.join, 'coconet://h:1/#v=1');
  t.is(given.store, '/home/host-monitor');
  t.is(empty.join, undefined);
  t.is(empty.store, '.coconet/host-monitor');
});

test('the command line comes first', t => {
  const words = ['--name', 'Desk', '--join', 'coconet://a', '--store', './desk', '--json'];

  t.like(readOptions(words, { COCONET_JOIN: 'coconet://b', COCONET_HOME: '/home' }, 'attic'), {
    name: 'Desk',
    join: 'coconet://a',
    store: './desk',
    json: true,
  });
});

test('an unknown option is refused by name', t => {
  t.throws(() => readOptions(['--stoer', 'x'], {}, 'attic'), { message: /--stoer/ });
});
