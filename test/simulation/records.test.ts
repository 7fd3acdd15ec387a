import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';
import { chartOf, qlogOf } from './execute.js';
import { SCENARIOS } from './scenarios.js';

/** What every line of a chart is, in the language of Mermaid. */
const LINE =
  /^ {2}(participant h\d+ as \S.*|h\d+(->>|--x)h\d+: \d+\.\d ms [^;#]+|Note over h\d+: \d+\.\d ms [^;#]+)$/;

/** All that are run without being asked for; of the others, which are alike, the shortest ones. */
const seen = Object.entries(SCENARIOS).filter(
  ([name, { onDemand = false }]) =>
    !onDemand || name === 'interop/handshake-loss' || name === 'interop/amplification',
);

for (const [name, scenario] of seen) {
  test(`a run of ${name} draws a sequence chart`, async t => {
    const chart = await chartOf(scenario, 5);
    const [first, ...lines] = chart.trimEnd().split('\n');

    t.is(first, 'sequenceDiagram');
    t.deepEqual(
      lines.filter(line => !LINE.test(line)),
      [],
    );
    t.true(lines.some(line => line.includes('->>') && line.includes(' initiation ')));
    // There, nobody hears the answers: it ends with the handshake.
    const isHalf = name === 'interop/amplification';
    t.is(
      lines.some(line => line.includes('->>') && line.includes(' data index=')),
      !isHalf,
    );
  });

  test(`a run of ${name} writes a trace for each of its endpoints`, async t => {
    const folder = await mkdtemp(join(tmpdir(), 'coconet-qlog-'));
    t.teardown(() => rm(folder, { recursive: true }));

    const files = await qlogOf(scenario, 5, folder);

    t.true(files.length >= 2);
    for (const file of files) {
      const records = (await readFile(join(folder, file), 'utf8')).split('\u001e').slice(1);
      const [head, ...events] = records.map(record => JSON.parse(record) as { readonly time: number });
      t.like(head, { file_schema: 'urn:ietf:params:qlog:file:sequential' });
      t.true(events.every(({ time }, i) => time >= (events[i - 1]?.time ?? 0)));
    }
  });
}
