import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { gone, isAlive, Program, SOURCE, temporaryFolder } from './support/program.js';

/** Where an NMN listens that was told no port. */
const DEFAULT_PORT = 28_620;
const START = ['node', SOURCE, 'examples/main-job/src/start.ts', '--json'];

/** Runs the main job until a command was answered; `pids` are the processes that it started. */
async function running(t: ExecutionContext, ...words: readonly string[]) {
  const job = new Program(t, [...START, ...words]);
  await job.event({ event: 'command', failure: undefined });
  return { job, ...(await processes(job)) };
}

async function processes(job: Program, skip = 0) {
  const monitor = await job.event({ event: 'process', process: 'host monitor' }, skip);
  const app = await job.event({ event: 'process', process: 'app' }, skip);
  return { monitor: Number(monitor.pid), app: Number(app.pid) };
}

/** With the default port taken, by us or by a test beside this one, a network gets a port that nobody else asks for. */
async function occupyDefaultPort(t: ExecutionContext): Promise<void> {
  const socket = createSocket('udp4');
  socket.bind(DEFAULT_PORT, '127.0.0.1');
  await once(socket, 'listening').catch(() => undefined);
  t.teardown(() => socket.close());
}

test.serial('Ctrl-C ends all three processes and leaves nothing behind', async t => {
  const { job, monitor, app } = await running(t);
  const { folder } = await job.event({ event: 'nmn' });
  t.true(isAlive(monitor) && isAlive(app));

  const status = await job.interrupt();

  t.is(status, 130);
  t.deepEqual([monitor, app].filter(isAlive), []);
  t.false(existsSync(String(folder)));
});

test.serial('SIGTERM is a wish like any other', async t => {
  const { job, monitor, app } = await running(t);

  const status = await job.stop('SIGTERM');

  t.is(status, 0);
  t.deepEqual([monitor, app].filter(isAlive), []);
});

test.serial('Ctrl-C in the middle of the start ends it as well', async t => {
  const job = new Program(t, START);
  await job.event({ event: 'process', process: 'app' });
  const { folder } = await job.event({ event: 'nmn' });

  const status = await job.interrupt();

  t.is(status, 130);
  const pids = job.events.filter(({ event }) => event === 'process').map(({ pid }) => Number(pid));
  t.deepEqual(pids.filter(isAlive), []);
  t.false(existsSync(String(folder)));
});

test.serial('killed, it takes its processes with it', async t => {
  const { job, monitor, app } = await running(t);

  await job.stop('SIGKILL');

  await t.notThrowsAsync(Promise.all([gone(monitor), gone(app)]));
});

test.serial('killed while its processes start, it takes them with it', async t => {
  const job = new Program(t, START);
  const { monitor, app } = await processes(job);

  await job.stop('SIGKILL');

  await t.notThrowsAsync(Promise.all([gone(monitor), gone(app)]));
});

test.serial('a host monitor that was killed is started again, and answers', async t => {
  const { job, monitor } = await running(t);
  const before = job.events.length;

  process.kill(monitor, 'SIGKILL');

  const restart = await job.event({ event: 'restart', process: 'the host monitor' }, before);
  t.regex(String(restart.why), /SIGKILL/);
  const again = await job.event({ event: 'process', process: 'host monitor' }, before);
  t.not(again.pid, monitor);
  const ready = await job.event({ event: 'device' }, before);
  const first = await job.event({ event: 'device' });
  t.is(ready.nodeId, first.nodeId);
  const afterReady = job.events.length;
  await job.event({ event: 'values' }, afterReady);
  await job.event({ event: 'command', failure: undefined }, afterReady);
});

test.serial('an app that was killed is started again as the same node, and sees the device', async t => {
  const { job, app } = await running(t);
  const before = job.events.length;

  process.kill(app, 'SIGKILL');

  await job.event({ event: 'restart', process: 'the app' }, before);
  const again = await job.event({ event: 'client' }, before);
  const first = await job.event({ event: 'client' });
  t.is(again.nodeId, first.nodeId);
  await job.event({ event: 'values' }, before);
  await job.event({ event: 'command', failure: undefined }, before);
});

test.serial('killed and started again with its folder, it is the same network', async t => {
  const folder = join(await temporaryFolder(t), 'kept');
  await occupyDefaultPort(t);
  const { job } = await running(t, '--keep', '--folder', folder);
  const named = async (program: Program) => ({
    network: (await program.event({ event: 'nmn' })).network,
    port: (await program.event({ event: 'nmn' })).port,
    device: (await program.event({ event: 'device' })).nodeId,
    app: (await program.event({ event: 'client' })).nodeId,
  });
  const before = await named(job);
  await job.stop('SIGKILL');

  const { job: again } = await running(t, '--keep', '--folder', folder);

  t.deepEqual(await named(again), before);
  t.is(await again.interrupt(), 130);
  t.true(existsSync(folder));
});

test.serial('a kept folder that another one uses is refused in a sentence', async t => {
  const folder = await temporaryFolder(t);
  await running(t, '--keep', '--folder', folder);

  const second = new Program(t, [...START, '--keep', '--folder', folder]);

  t.is(await second.end(), 1);
  t.like(second.events.at(-1), { event: 'done', ok: false });
  t.regex(String(second.events.at(-1)?.reason), /^DATA_FOLDER_IN_USE: /);
});
