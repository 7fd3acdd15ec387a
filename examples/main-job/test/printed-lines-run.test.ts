import test from 'ava';

import { Program, SOURCE, type TestContext } from './support/program.js';

/** What the answer to a line has to show, by its command. */
const SHOWS: Readonly<Record<string, RegExp>> = {
  nodes: /Computer/,
  ls: /Computer\/system/,
  get: /%/,
  watch: /cpuLoad/,
  explain: /direct/,
};

test('every line that is printed for another terminal runs as printed', async t => {
  const job = new Program(t, ['node', SOURCE, 'examples/main-job/src/start.ts', '--json']);
  await job.event({ event: 'command' });
  const lines = job.events.filter(({ event }) => event === 'try').map(({ line }) => String(line));
  t.deepEqual(
    lines.map(line => line.split(' ')[2]),
    ['nodes', 'ls', 'get', 'watch', 'call', 'call', 'explain'],
  );

  for (const line of lines) await runLine(t, line);

  t.is(await job.interrupt(), 130);
});

async function runLine(t: TestContext, line: string): Promise<void> {
  const terminal = new Program(t, ['sh', '-c', line]);
  const shows = SHOWS[line.split(' ')[2] ?? ''];
  if (line.includes(' watch ')) {
    await terminal.line(/cpuLoad/);
    await terminal.interrupt();
    return;
  }
  t.is(await terminal.end(), 0, `${line}: ${terminal.errors.join('\n')}`);
  if (shows) t.regex(terminal.lines.join('\n'), shows, line);
}

test('the beacon does what another terminal tells it', async t => {
  const job = new Program(t, ['node', SOURCE, 'examples/main-job/src/start.ts', '--json']);
  await job.event({ event: 'beacon', identifying: true });
  await job.event({ event: 'beacon', identifying: false }, job.events.length);
  const line = job.events
    .map(({ line: text }) => String(text))
    .find(text => text.includes('identify.identify'));
  const before = job.events.length;

  const status = await new Program(t, ['sh', '-c', line ?? 'false']).end();

  t.is(status, 0);
  await job.event({ event: 'beacon', identifying: true }, before);
});
