import test from 'ava';
import { instant } from '../../src/base/index.js';
import { MAX_MESSAGE, UNGRANTED_MESSAGE } from '../../src/wire/index.js';
import {
  GRANT_LIFE,
  GRANTED_MEMORY,
  MESSAGE_MEMORY,
  MessageMemory,
  type HeldMessage,
  type MessageHolder,
} from '../../src/session/message-memory.js';

const MEBIBYTE = 1_024 * 1_024;

class Holder implements MessageHolder {
  readonly #memory: MessageMemory;
  readonly grants: HeldMessage[] = [];
  readonly thrown: HeldMessage[] = [];
  charged = 0;
  granted = 0;

  constructor(memory: MessageMemory) {
    this.#memory = memory;
  }

  grant(message: HeldMessage): void {
    this.grants.push(message);
  }

  throwAway(message: HeldMessage): void {
    this.thrown.push(message);
    this.#memory.release(message);
  }

  /** Half a message that takes `bytes` from now on. */
  hold(now: number, bytes: number, total: number = bytes): HeldMessage {
    const message = {
      holder: this,
      total,
      progressAt: instant(now),
      grantedAt: undefined,
      charged: 0,
      granted: 0,
    };
    this.#memory.progressed(instant(now), message, bytes);
    return message;
  }
}

test('in a full memory a modest session takes the place of the oldest message of a greedy one', t => {
  const memory = new MessageMemory();
  const [greedy, modest] = [new Holder(memory), new Holder(memory)];
  const held = Array.from({ length: 64 }, (_, i) => greedy.hold(i, MEBIBYTE));

  t.true(memory.makeRoom(instant(100), modest, MEBIBYTE));

  t.deepEqual(greedy.thrown, [held[0]!]);
});

test('in a full memory a greedy session takes the place of nobody that makes progress', t => {
  const memory = new MessageMemory();
  const [greedy, modest] = [new Holder(memory), new Holder(memory)];
  const own = modest.hold(0, MEBIBYTE);
  for (let i = 0; i < 63; i++) greedy.hold(1, MEBIBYTE);

  t.false(memory.makeRoom(instant(1_000), greedy, MEBIBYTE));
  t.true(memory.makeRoom(instant(2_000), greedy, MEBIBYTE), 'but of what stands still');

  t.deepEqual(modest.thrown, [own]);
  t.deepEqual(greedy.thrown, []);
});

test('grants are given in the order they were asked for, a small one does not pass a large one', t => {
  const memory = new MessageMemory();
  const holders = Array.from({ length: 5 }, () => new Holder(memory));
  const messages = holders.map(holder => holder.hold(0, UNGRANTED_MESSAGE, MAX_MESSAGE));
  for (const message of messages) memory.request(message);
  const small = new Holder(memory);
  memory.request(small.hold(0, UNGRANTED_MESSAGE, 2 * MEBIBYTE));

  t.deepEqual(
    holders.map(holder => holder.grants.length),
    [1, 1, 1, 0, 0],
  );
  t.is(small.grants.length, 0);
  t.true(memory.reserved <= GRANTED_MEMORY + 6 * UNGRANTED_MESSAGE);

  memory.release(messages[1]!);
  t.is(holders[3]!.grants.length, 1);
  memory.release(messages[4]!);
  t.is(small.grants.length, 0, 'three of the largest leave no room');
  memory.release(messages[0]!);
  t.is(small.grants.length, 1);
});

test('what would fit beside the largest ones waits behind the one that does not', t => {
  const memory = new MessageMemory();
  const holders = Array.from({ length: 4 }, () => new Holder(memory));
  const messages = holders.map(holder => holder.hold(0, UNGRANTED_MESSAGE, MAX_MESSAGE));
  for (const message of messages) memory.request(message);
  const small = new Holder(memory);

  memory.request(small.hold(0, UNGRANTED_MESSAGE, UNGRANTED_MESSAGE + 8_192));
  t.is(small.grants.length, 0);
  memory.release(messages[3]!);

  t.is(small.grants.length, 1, 'the one before it waits no more');
});

test('in a full memory half a message that gets a piece every second is not taken to stand still', t => {
  const memory = new MessageMemory();
  const [greedy, modest] = [new Holder(memory), new Holder(memory)];
  const own = modest.hold(0, MEBIBYTE);
  for (let i = 0; i < 62; i++) greedy.hold(4_000, MEBIBYTE);

  for (const now of [1_000, 2_000, 3_000, 4_000]) memory.progressed(instant(now), own, 8_192);
  greedy.hold(4_000, MEBIBYTE - 4 * 8_192);

  t.false(memory.makeRoom(instant(5_500), greedy, MEBIBYTE));
  t.true(memory.makeRoom(instant(6_000), greedy, MEBIBYTE));
});

test('a session with two of the largest granted leaves the next grant to others', t => {
  const memory = new MessageMemory();
  const [greedy, modest] = [new Holder(memory), new Holder(memory)];

  for (let i = 0; i < 3; i++) memory.request(greedy.hold(0, UNGRANTED_MESSAGE, MAX_MESSAGE));
  memory.request(modest.hold(0, UNGRANTED_MESSAGE, MAX_MESSAGE));

  t.is(greedy.grants.length, 2);
  t.is(modest.grants.length, 1);
});

test('a grant is taken back only where others wait, the oldest first', t => {
  const memory = new MessageMemory();
  const holders = Array.from({ length: 3 }, () => new Holder(memory));
  for (const holder of holders) memory.request(holder.hold(0, UNGRANTED_MESSAGE, MAX_MESSAGE));
  t.is(memory.overdueAt, undefined);
  memory.takeBack(instant(10 * GRANT_LIFE));
  t.is(holders[0]!.thrown.length, 0);

  const waiting = new Holder(memory);
  memory.request(waiting.hold(5, UNGRANTED_MESSAGE, MAX_MESSAGE));
  t.is(memory.overdueAt, instant(GRANT_LIFE));
  memory.takeBack(instant(GRANT_LIFE));

  t.is(waiting.grants.length, 1);
  t.deepEqual(
    holders.map(holder => holder.thrown.length),
    [1, 0, 0],
  );
});

test('what is released leaves nothing behind', t => {
  const memory = new MessageMemory();
  const holder = new Holder(memory);
  const messages = [
    holder.hold(0, 5_000),
    holder.hold(0, UNGRANTED_MESSAGE, MAX_MESSAGE),
    holder.hold(1, UNGRANTED_MESSAGE, 3 * MEBIBYTE),
  ];
  for (const message of messages.slice(1)) memory.request(message);
  t.is(memory.size, 3);
  t.true(memory.reserved <= MESSAGE_MEMORY);

  for (const message of messages) memory.release(message);

  t.is(memory.reserved, 0);
  t.is(memory.size, 0);
  t.like(holder, { charged: 0, granted: 0 });
});
