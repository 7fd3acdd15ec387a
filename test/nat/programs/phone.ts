/**
 * An app that switches the lamp at once, then keeps switching it (each time awaited) until the path is the one wanted
 * (first argument after the join URI) and at least 20 times. Says what it saw as one JSON line.
 */
import { MemoryStore } from '@coconet/cluster-protocol';
import { onOff } from '@coconet/capabilities';
import { connect } from '@coconet/client-sdk';

const [join, wanted] = process.argv.slice(2);
const PATIENCE_MS = 20_000;

const network = await connect({
  join,
  store: new MemoryStore(),
  name: 'Phone',
  allowDocumentationAddresses: true,
});
const lamp = await network.resource('Desk/lamp', [onOff]);
await lamp.onOff.toggle({}, { timeout: 10_000 });
const first = (await network.explain('Desk')).path;

const began = performance.now();
let commands = 1;
let explained = await network.explain('Desk');
while (performance.now() - began < PATIENCE_MS && (explained.path !== wanted || commands < 20)) {
  await lamp.onOff.toggle({}, { timeout: 10_000 });
  commands++;
  explained = await network.explain('Desk');
}
const { path, sentence } = explained;
console.log(JSON.stringify({ first, path, sentence, commands, ms: Math.round(performance.now() - began) }));
await network.close();
