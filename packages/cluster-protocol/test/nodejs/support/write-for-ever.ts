import { encodeText } from '../../../src/base/index.js';
import { openFileStore } from '../../../src/nodejs/file-store.js';

// Writes numbered batches and says each number once it is durable. Three writes are always under way.
const store = await openFileStore(process.argv[2]!);
const size = Number(process.argv[3]);
const first = Number(new TextDecoder().decode((await store.read('number')) ?? encodeText('0')));

async function write(number: number): Promise<void> {
  const value = encodeText(`${number}`);
  await store.write(
    new Map([
      ['number', value],
      [`seen/${number}`, value],
      ['filling', new Uint8Array(size).fill(number & 255)],
      [`seen/${number - 40}`, undefined],
    ]),
  );
  process.stdout.write(`${number}\n`);
}

let number = first;
const underWay: Promise<void>[] = [];
for (;;) {
  underWay.push(write(++number));
  if (underWay.length >= 3) await underWay.shift();
}
