import test from 'ava';

import { SessionPair, sendAll } from './pair.js';
import { StreamPrograms, streamBytes } from './stream-programs.js';

/** A pair whose link drops whatever is larger than it carries. */
function narrow(carries: number, maxDatagram = 1_452) {
  const pair = new SessionPair({ config: { maxDatagram }, pathLimit: maxDatagram });
  const programs = new StreamPrograms(pair);
  const link = { carries, tooLarge: 0, largest: 0 };
  pair.drop = ({ bytes }) => {
    const dropped = bytes.length > link.carries;
    if (dropped) link.tooLarge++;
    else link.largest = Math.max(link.largest, bytes.length);
    return dropped;
  };
  /** Sends a stream through and tells how long it took, in milliseconds. */
  const transfer = (length: number): number => {
    const begun = pair.now;
    const stream = pair.a.streams.open({ service: 1, oneWay: true });
    programs.write('a', stream, streamBytes(stream, length));
    pair.run(() => programs.half('b', stream).ended, 120_000);
    if (Buffer.compare(programs.half('b', stream).bytes, streamBytes(stream, length)) !== 0) return NaN;
    return pair.now - begun;
  };
  const mtu = (): number | undefined => pair.a.pathStatistics(0)?.mtu;
  return { pair, link, transfer, mtu };
}

test('a session that fills packets finds out what the path carries, and uses it', t => {
  const { transfer, mtu, link } = narrow(1_447);

  t.true(transfer(500_000) > 0);

  t.is(mtu(), 1_452);
  t.is(link.largest, 1_447);
  t.is(link.tooLarge, 0);
});

test('a size that does not pass costs one packet and no congestion', t => {
  const { pair, transfer, mtu, link } = narrow(1_300);

  t.true(transfer(500_000) > 0);

  t.is(mtu(), 1_280);
  t.is(link.tooLarge, 1);
  t.is(pair.a.statistics().lostPackets, 0);
  t.is(pair.a.statistics().retransmissions, 0);
});

test('a session with little to say probes nothing', t => {
  const { pair, link } = narrow(1_447);

  for (let i = 0; i < 50; i++) sendAll(pair, 'a', [300], i);
  pair.run(() => false, 60_000);

  t.true(link.largest < 1_200);
});

test('a path that becomes narrow in the middle of a transfer is noticed, and the transfer goes on', t => {
  const { pair, link, transfer, mtu } = narrow(1_447);
  transfer(500_000);

  link.carries = 1_200;
  const took = transfer(500_000);

  t.true(took < 5_000, `${took} ms`);
  t.is(mtu(), 1_200);
  t.true(pair.a.isOpen);
});

test('a path that carries less than the base still carries streams and messages', t => {
  const { pair, transfer, mtu } = narrow(1_100);

  const took = transfer(100_000);
  sendAll(pair, 'a', [1_150, 40_000]);

  t.true(took < 10_000, `${took} ms`);
  t.true(pair.run(() => pair.messages('b').length === 2, 10_000));
  t.is(mtu(), 1_024);
});

test('a datagram that does not fit the path is refused at once, and a smaller one goes', t => {
  const { pair, transfer } = narrow(1_100);
  transfer(100_000);

  t.false(pair.a.sendDatagram(pair.now, 1, new Uint8Array(1_150)));
  t.true(pair.a.sendDatagram(pair.now, 1, new Uint8Array(10)));
  pair.run(() => pair.count('b', 'datagram') === 1, 1_000);

  t.is(pair.count('b', 'datagram'), 1);
});

test('a datagram that fits the path no more when its turn comes is dropped and holds nothing up', t => {
  const { pair, transfer } = narrow(1_447);
  transfer(100_000);
  t.true(pair.a.sendDatagram(pair.now, 1, new Uint8Array(1_150)));
  t.true(pair.a.sendDatagram(pair.now, 1, new Uint8Array(10)));

  for (let i = 0; i < 3; i++) pair.a.handleSendError(pair.now, 0, 'messageTooLong');
  pair.run(() => pair.count('b', 'datagram') === 1, 1_000);

  t.is(pair.a.statistics().droppedDatagrams, 1);
  t.is(pair.count('b', 'datagram'), 1);
});

test('ten minutes after a size failed it is tried again', t => {
  const { pair, link, transfer, mtu } = narrow(1_300);
  transfer(100_000);
  link.carries = 1_447;
  transfer(100_000);
  t.is(mtu(), 1_280);

  pair.run(() => false, 601_000);
  transfer(400_000);

  t.is(mtu(), 1_452);
});

test('what the operating system refuses for its size is taken back', t => {
  const { pair, transfer, mtu } = narrow(1_447);
  transfer(500_000);

  pair.a.handleSendError(pair.now, 0, 'messageTooLong');

  t.is(mtu(), 1_200);
  t.true(transfer(100_000) > 0);
});

test('where the link is proved to carry more, one step leads there', t => {
  const { transfer, mtu, link } = narrow(65_502, 65_507);

  t.true(transfer(20_000_000) > 0);

  t.is(mtu(), 65_507);
  t.is(link.largest, 65_502);
});
