import test from 'ava';

import { Program, SOURCE } from './support/program.js';

test('every line that is printed for another terminal runs as printed', async t => {
  const job = new Program(t, ['node', SOURCE, 'examples/main-job/src/start.ts', '--json']);
  await job.event({ event: 'command' });
  const lines = job.events.filter(({ event }) => event === 'try').map(({ line }) => String(line));
  t.true(lines.length >= 7);

  for (const line of lines) {
    const terminal = new Program(t, ['sh', '-c', `exec ${line}`]);
    if (line.includes(' watch ')) {
      await terminal.line(/cpuLoad/);
      terminal.process.kill('SIGINT');
      t.is(await terminal.end(), 130, line);
    } else {
      t.is(await terminal.end(), 0, `${line}: ${terminal.errors.join('\n')}`);
      t.true(line.includes(' call ') || terminal.lines.length > 0, line);
    }
  }

  const calls = job.events.filter(({ event }) => event === 'beacon');
  t.true(calls.length > 0);
  t.is(await job.stop('SIGINT'), 130);
});
