import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { milliseconds, seconds, toHex, type TraceEvent } from '../../src/base/index.js';
import { createCryptoProvider, createNodeHost, openQlogFolder, QlogTrace } from '../../src/nodejs/index.js';
import { Recorder } from '../../src/testing/index.js';
import { Duet } from '../interop/duet.js';

interface Event {
  readonly time: number;
  readonly name: string;
  readonly group_id?: string;
  readonly tuple?: string;
  readonly data: {
    readonly header?: { readonly packet_type: string; readonly packet_number?: number };
    readonly raw?: { readonly length: number };
    readonly frames?: readonly { readonly frame_type: string }[];
    readonly trigger?: string;
    readonly details?: { readonly reason: string };
    readonly new?: string | number;
  };
}

const crypto = await createCryptoProvider();

/** The records of a JSON text sequence (RFC 7464); fails at the first that is not whole. */
function recordsOf(text: string): readonly [{ readonly file_schema: string }, ...Event[]] {
  const [before, ...records] = text.split('\u001e');
  if (before !== '') throw new Error('there is something before the first record');
  return records.map(record => {
    if (!record.endsWith('\n') || record.indexOf('\n') !== record.length - 1)
      throw new Error(`not a record: ${record}`);
    return JSON.parse(record) as never;
  }) as never;
}

/** The traces of both ends of a session that has everything: losses, damage, streams, new keys, another path, a close. */
function recordedSession(): { readonly a: string; readonly b: string; readonly duet: Duet } {
  const texts: Record<string, string> = {};
  const recorder = new Recorder({
    trace: (title, now) => {
      texts[title] = '';
      return new QlogTrace({
        title,
        now,
        wallTime: 0,
        write: record => {
          texts[title] = `${texts[title] ?? ''}${record}`;
        },
      });
    },
  });
  const duet = new Duet({
    seed: 12,
    crypto,
    recorder,
    nat: true,
    cautious: true,
    link: { loss: 0.03, corrupt: 0.02, reorder: 0.05, jitter: milliseconds(10), delay: milliseconds(15) },
  });
  for (let round = 0; round < 10; round++) {
    for (const name of ['a', 'b'] as const)
      duet.do(name, party => {
        party.send(3_000);
        party.datagram(100);
        party.traffic.begin(60_000, { service: 0x8000, priority: 3, oneWay: round % 2 === 0 });
      });
    if (round === 4) duet.do('a', party => party.session?.rekey(duet.host('a').now()));
    if (round === 6) duet.nat?.rebind();
    duet.until(() => duet.settled, seconds(20));
  }
  duet.world.network.cut('a', 'b');
  duet.do('b', party => party.send(100));
  duet.run(3_000);
  duet.world.network.heal();
  duet.until(() => duet.settled, seconds(20));
  duet.do('a', party => party.close(duet.host('a').now()));
  duet.run(10_000);
  return { a: texts['a-life-0']!, b: texts['b-life-0']!, duet };
}

const session = recordedSession();

const eventsOf = (text: string): readonly Event[] => recordsOf(text).slice(1) as unknown as Event[];

const nameOf = ({ group_id, data }: Event): string =>
  `${group_id}/${data.header?.packet_number}/${data.raw?.length}/${JSON.stringify(data.frames)}`;

for (const side of ['a', 'b'] as const) {
  test(`the qlog of ${side} parses record by record, and its times do not go back`, t => {
    const [head, ...events] = recordsOf(session[side]);

    t.is(head.file_schema, 'urn:ietf:params:qlog:file:sequential');
    t.true(events.length > 500);
    t.true(events.every(({ time }, i) => time >= (events[i - 1]?.time ?? 0)));
    t.true(events.every(({ name }) => /^(quic|coconet):[a-z_]+$/.test(name)));
  });
}

for (const [from, to] of [
  ['a', 'b'],
  ['b', 'a'],
] as const)
  test(`every packet that ${to} says to have received, ${from} says to have sent, with the same frames`, t => {
    const sent = eventsOf(session[from]).filter(({ name }) => name === 'quic:packet_sent');
    const received = eventsOf(session[to]).filter(
      ({ name, group_id }) => name === 'quic:packet_received' && group_id !== undefined,
    );
    const names = new Set(sent.map(nameOf));

    t.true(received.length > 200);
    t.deepEqual(
      received.map(nameOf).filter(name => !names.has(name)),
      [],
    );
    t.is(names.size, sent.filter(({ group_id }) => group_id !== undefined).length + sentOutside(sent));
  });

/** Packets of handshakes have no number: those that look alike count once. */
const sentOutside = (sent: readonly Event[]): number =>
  new Set(sent.filter(({ group_id }) => group_id === undefined).map(nameOf)).size;

test('a session tells of everything that a person looks for', t => {
  const events = [...eventsOf(session.a), ...eventsOf(session.b)];
  const kinds = new Set(events.map(({ name }) => name));
  const frames = new Set(events.flatMap(({ data }) => data.frames?.map(frame => frame.frame_type) ?? []));

  for (const name of [
    'quic:connection_started',
    'quic:connection_closed',
    'quic:packet_sent',
    'quic:packet_received',
    'quic:packet_dropped',
    'quic:packet_lost',
    'quic:recovery_metrics_updated',
    'quic:congestion_state_updated',
    'quic:key_updated',
    'quic:mtu_updated',
    'quic:loss_timer_updated',
    'quic:stream_state_updated',
    'coconet:path_validated',
    'coconet:path_moved',
    'coconet:path_suspect',
    'coconet:path_alive',
  ])
    t.true(kinds.has(name), `nothing is told as ${name}`);
  for (const frame of [
    'ack',
    'stream',
    'datagram',
    'coconet_message',
    'coconet_rekey_offer',
    'path_challenge',
  ])
    t.true(frames.has(frame), `there is no frame ${frame}`);
  const dropped = events.filter(({ name }) => name === 'quic:packet_dropped');
  t.true(
    dropped.some(({ data }) => data.details?.reason === 'badTag' && data.trigger === 'decryption_failure'),
  );
  const states = events.filter(({ name }) => name === 'quic:congestion_state_updated');
  t.true(states.some(({ data }) => data.new === 'recovery'));
});

test('what the trace counts as dropped is what the counters say', t => {
  const told: Record<string, number> = {};
  for (const { name, data } of eventsOf(session.b))
    if (name === 'quic:packet_dropped') told[data.details!.reason] = (told[data.details!.reason] ?? 0) + 1;
  const { duplicateMessage: _frames, unexpected: _answers, ...counted } = session.duet.b.drops.snapshot();

  delete told['unexpected'];
  t.deepEqual(told, counted);
});

test('no key and nothing of what was said is in a trace', t => {
  const { duet } = session;
  const text = session.a + session.b;
  const secrets = duet.secrets.map(bytes => toHex(bytes));

  t.true(secrets.length >= 4);
  for (const secret of secrets) t.false(text.includes(secret));
  t.false(/[0-9a-f]{17}/.test(text.replaceAll(/[0-9a-f]{8}-[0-9a-f]{8}/g, '')), 'it holds a long run of hex');
});

async function folder(): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'coconet-qlog-'));
  return { path, remove: () => rm(path, { recursive: true }) };
}

const EVENT: TraceEvent = {
  name: 'coconet:path_moved',
  data: {},
  group: '00000001-00000002',
  path: '1:192.0.2.1:80',
};

test('a trace is written to a file of this user alone', async t => {
  const { path, remove } = await folder();
  t.teardown(remove);
  const place = join(path, 'deep', 'traces');

  const trace = (await openQlogFolder(place))('node/17');
  trace.record(EVENT);
  trace.close();
  trace.record(EVENT);

  const [name = ''] = await readdir(place);
  t.regex(name, /^node_17-\d{8}T\d{6}\.\d{3}Z-\d+\.sqlog$/);
  if (process.platform !== 'win32') {
    t.is((await stat(join(place, name))).mode & 0o777, 0o600);
    t.is((await stat(place)).mode & 0o777, 0o700);
  }
  const [head, event, ...rest] = recordsOf(await readFile(join(place, name), 'utf8'));
  t.is(head.file_schema, 'urn:ietf:params:qlog:file:sequential');
  t.like(event, { name: 'coconet:path_moved', group_id: '00000001-00000002', tuple: '1:192.0.2.1:80' });
  t.deepEqual(rest, []);
});

test('what was told is in the file after the turn of the event loop, without a close', async t => {
  const { path, remove } = await folder();
  t.teardown(remove);
  const trace = (await openQlogFolder(path))('node');
  t.teardown(() => trace.close());

  trace.record(EVENT);
  await new Promise(resolve => setImmediate(resolve));

  const [name = ''] = await readdir(path);
  t.is(recordsOf(await readFile(join(path, name), 'utf8')).length, 2);
});

test('two endpoints of one name have a file each', async t => {
  const { path, remove } = await folder();
  t.teardown(remove);
  const open = await openQlogFolder(path);

  for (let i = 0; i < 3; i++) open('node').close();

  t.is((await readdir(path)).length, 3);
});

test('a folder that cannot be made is an error that says what to do', async t => {
  await t.throwsAsync(createNodeHost({ qlog: '/dev/null/traces' }), {
    code: 'INVALID_ARGUMENT',
    message: /COCONET_QLOG: .*\/dev\/null\/traces.*name a folder/,
  });
});

test('without a folder nothing is traced', async t => {
  const host = await createNodeHost({ qlog: '' });

  t.is(host.trace, undefined);
});
