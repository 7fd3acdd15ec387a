import test from 'ava';

import { type ConsentSource, judgeConsent, type LocalLink } from '../../src/path/index.js';
import { address, HOME, NMN } from './agent-bench.js';

interface Surroundings {
  readonly observed?: string[];
  readonly nmn?: string;
  readonly documentation?: boolean;
  readonly links?: readonly LocalLink[];
  readonly source?: ConsentSource;
}

function judge(text: string, around: Surroundings = {}): string {
  const verdict = judgeConsent(address(text), around.source ?? 'peer', {
    links: around.links ?? HOME,
    reflexive: [address('198.51.100.10:5000')],
    observed: (around.observed ?? ['198.51.100.20:6000']).map(address),
    rules: {
      allowDocumentation: around.documentation ?? true,
      forbidden: () => [around.nmn === undefined ? NMN : address(around.nmn)],
    },
  });
  if (!verdict.allowed) return verdict.because;
  return verdict.vouched ? 'vouched' : 'claimed';
}

test('where the NMN saw the peer it may be probed, and at another port of that address once', t => {
  t.is(judge('198.51.100.20:6000'), 'vouched');
  t.is(judge('198.51.100.20:6001'), 'claimed');
});

test('a public address where the NMN did not see the peer is never probed, not even in our own prefix', t => {
  const because = 'the NMN did not see the peer at this public address';
  t.is(judge('8.8.8.8:6000'), because);
  t.is(judge('198.51.100.21:6000'), because);
  t.is(judge('[2001:db8:1::20]:6000'), because);
});

test('a public address that answered a challenge before may be probed without an NMN', t => {
  t.is(judge('8.8.8.8:6000', { source: 'proved', observed: [] }), 'vouched');
});

test('a private address may be probed in the network of an own interface or where the NMN saw the peer', t => {
  t.is(judge('192.168.1.20:6000'), 'claimed');
  t.is(judge('172.17.0.5:6000'), 'claimed');
  t.is(judge('10.1.2.3:6000', { observed: ['10.1.2.3:6000'] }), 'vouched');
  t.is(judge('10.1.2.3:6001', { observed: ['10.1.2.3:6000'] }), 'claimed');
  t.is(judge('10.1.2.3:6000'), 'it is private, and no interface of this node is in its network');
});

test('an interface whose prefix holds half the world shares no network with anybody', t => {
  const links = [
    {
      ...HOME[0]!,
      addresses: [{ host: '10.0.0.1', prefixLength: 1, interfaceName: 'tun0', internal: false }],
    },
  ];
  t.is(judge('10.0.0.2:6000', { links }), 'it is private, and no interface of this node is in its network');
});

test('loopback may be probed only at the port where an NMN of this machine saw the peer', t => {
  const observed = ['127.0.0.1:6000'];
  t.is(judge('127.0.0.1:6000', { observed, nmn: '127.0.0.1:4433' }), 'vouched');
  t.is(judge('127.0.0.1:6000', { observed, nmn: '192.168.1.10:4433' }), 'vouched');
  t.is(judge('127.0.0.1:6000', { observed }), 'the NMN that saw it there runs on another machine');
  t.is(
    judge('127.0.0.1:6001', { observed, nmn: '127.0.0.1:4433' }),
    'the NMN did not see the peer at this loopback address',
  );
});

test('nobody is probed at multicast, broadcast, unspecified or reserved addresses, whoever names them', t => {
  for (const source of ['peer', 'observed', 'proved'] as const) {
    t.is(judge('224.0.0.1:6000', { source }), "multicast addresses are nobody's");
    t.is(judge('[ff02::1]:6000', { source }), "multicast addresses are nobody's");
    t.is(judge('255.255.255.255:6000', { source }), "broadcast addresses are nobody's");
    t.is(judge('192.168.1.255:6000', { source }), "it is a local network's broadcast address");
    t.is(judge('0.0.0.0:6000', { source }), "unspecified addresses are nobody's");
    t.is(judge('[::]:6000', { source }), "unspecified addresses are nobody's");
    t.is(judge('240.0.0.1:6000', { source }), "reserved addresses are nobody's");
    t.is(judge(NMN.key, { source }), 'it is the NMN');
    t.is(judge('192.168.1.10:5000', { source }), 'it is this node itself');
    t.is(judge('127.0.0.1:5000', { source }), 'it is this node itself');
    t.is(judge('198.51.100.10:5000', { source }), 'it is this node itself');
  }
});

test('documentation ranges are public under the option alone', t => {
  t.is(judge('198.51.100.20:6000', { documentation: false }), "documentation addresses are nobody's");
});

test('an IPv4-mapped loopback address is loopback', t => {
  t.is(judge('[::ffff:127.0.0.1]:53'), 'the NMN did not see the peer at this loopback address');
});

test('an IPv6 link-local address that the peer names means another place here', t => {
  t.is(judge('[fe80::2]:6000'), 'a link-local address means another place elsewhere');
  t.is(judge('[fe80::2%eth0]:6000', { source: 'proved' }), 'vouched');
});

test('an address of a family without a socket is not probed', t => {
  t.is(judge('[2001:db8::1]:6000', { links: [HOME[0]!] }), 'this node has no IPv6 socket');
});

test('another process of this machine may be probed at an address of an own interface', t => {
  t.is(judge('192.168.1.10:5001'), 'claimed');
});
