/**
 * A member that moves a lot both ways, on the CP interface itself. Arguments: `device` or `client`, the folder of its store, the
 * join URI. The device says `ready`, sends back what comes as a stream or a message, and says what it knows of the path when
 * its standard input ends. The client waits for the path that the fourth argument names, moves a stream and a message there
 * and back, and says what it knows of the path as one JSON line.
 */
import { createHash, randomBytes } from 'node:crypto';

import { type ClusterEvent, MemberRuntime, milliseconds, StreamSwitch } from '@coconet/cluster-protocol';
import { createNodeHost, openFileStore } from '@coconet/cluster-protocol/node';

const [kind, folder = '', join, wanted] = process.argv.slice(2);
const SERVICE = 0x8001;
const STREAM = 1_000_000;
const MESSAGE = 300_000;
const PATIENCE_MS = 15_000;

const host = await createNodeHost();
const store = await openFileStore(folder);
const runtime = await MemberRuntime.open({
  host,
  store,
  join,
  kind: kind === 'device' ? 'device' : 'client',
  resolve: address => Promise.resolve([address]),
  allowDocumentationAddresses: true,
});
const streams = new StreamSwitch(runtime);

const peer = (): number | undefined =>
  runtime.node.nodes().find(node => node.kind === (kind === 'device' ? 'client' : 'device'))?.nodeId;

const facts = (): object => {
  const { path, mtu, sentence } = runtime.node.explain(host.now(), peer() ?? 0);
  return { path, mtu, sentence };
};

const until = async <T>(what: string, look: () => T | undefined): Promise<T> => {
  const began = performance.now();
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (performance.now() - began > PATIENCE_MS) throw new Error(`${what} did not come`);
    await new Promise<void>(resolve => {
      host.schedule(milliseconds(20), resolve);
    });
  }
};

async function close(): Promise<void> {
  streams.close();
  await runtime.close();
  await store.close();
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

if (kind === 'device') {
  streams.handle(SERVICE, ({ readable, writable }) => readable.pipeTo(writable));
  runtime.on((event: ClusterEvent) => {
    if (event.kind === 'message' && event.service === SERVICE)
      runtime.do((node, now) => node.send(now, event.peer, SERVICE, event.bytes));
  });
  console.log('ready');
  process.stdin.resume().once('end', () => {
    console.log(JSON.stringify(facts()));
    void close();
  });
} else {
  const device = await until('the device', peer);
  runtime.do((node, now) => {
    node.connect(now, device);
  });
  await until(`a path of kind ${wanted}`, () =>
    runtime.node.explain(host.now(), device).path === wanted ? true : undefined,
  );

  const sent = randomBytes(STREAM);
  const { readable, writable } = await streams.open(device, { service: SERVICE });
  const writer = writable.getWriter();
  const writing = writer.write(sent).then(() => writer.close());
  const back = createHash('sha256');
  for await (const chunk of readable) back.update(chunk);
  await writing;
  if (back.digest('hex') !== digest(sent)) throw new Error('the stream came back otherwise than it was sent');

  const letter = new Uint8Array(randomBytes(MESSAGE));
  let answer: Uint8Array | undefined;
  runtime.on(event => {
    if (event.kind === 'message' && event.service === SERVICE) answer = event.bytes;
  });
  runtime.do((node, now) => node.send(now, device, SERVICE, letter));
  const returned = await until('the message', () => answer);
  if (digest(returned) !== digest(letter))
    throw new Error('the message came back otherwise than it was sent');

  console.log(JSON.stringify(facts()));
  await close();
}
