/*
 * Run by node.test.ts, with --disable-proto=throw: members of a network who talk and hear nonsense while
 * nobody can change what all objects inherit. Says how many own keys Object.prototype had before and after.
 */
import { memberThreats } from './member-threats.js';
import { Household } from './household.js';

const before = Reflect.ownKeys(Object.prototype).length;
for (const { prototype } of [Object, Array, Map, Set, Uint8Array, Function, String, Number, Promise, Error])
  Object.freeze(prototype);
const house = new Household(33);
const [lamp, phone] = [house.start('lamp'), house.start('phone')];
const failures =
  house.say(phone, lamp, 'hello') < 0 || house.say(lamp, phone, 'hello') < 0 ? ['they do not talk'] : [];
for (const { threat, run } of memberThreats)
  if (threat === 'T44') failures.push(...(await run(500, () => undefined)).failures);
const polluted: unknown = Reflect.get({}, 'polluted');
console.log(JSON.stringify({ failures, polluted, added: Reflect.ownKeys(Object.prototype).length - before }));
