import test from 'ava';
import type { Link } from '@coconet/cluster-protocol';
import { socketAddress } from '@coconet/cluster-protocol/wire';
import { natTypeOf } from '../src/nat-type.js';

const LINKS: readonly Link[] = [
  {
    id: 0,
    kind: 'udp',
    family: 4,
    port: 5_000,
    addresses: [
      { host: '127.0.0.1', prefixLength: 8, interfaceName: 'lo', internal: true },
      { host: '10.0.0.2', prefixLength: 24, interfaceName: 'eth0', internal: false },
    ],
  },
];

const seen = (host: string, port: number) => [socketAddress(host, port)!];

test('an observer that sees our own address sees no translation', t => {
  t.is(natTypeOf(LINKS, seen('10.0.0.2', 5_000)), 'none');
});

test('one observer that sees another address cannot tell the kind of the translation', t => {
  t.is(natTypeOf(LINKS, seen('8.8.4.4', 5_000)), 'unknown');
  t.is(natTypeOf(LINKS, seen('10.0.0.2', 5_001)), 'unknown');
});

test('an NMN on the same machine tells nothing of the network around it', t => {
  t.is(natTypeOf(LINKS, seen('127.0.0.1', 5_000)), 'unknown');
});

test('without an observer nothing is known', t => {
  t.is(natTypeOf(LINKS, []), null);
});
