import type { JsonValue } from '../model/data-type.js';
import { MAX_JSON_DEPTH } from '../model/limits.js';
import { decoded, refused } from '../result.js';
import type { Decoded } from '../result.js';
import type { WireValue } from './msgpack.js';

/** JSON that was checked, for the wire: objects become maps, in the order of their keys. */
export function jsonToWire(value: JsonValue): WireValue {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(jsonToWire);
  if (typeof value !== 'object' || value === null) return value;
  const map = new Map<string, WireValue>();
  for (const [key, item] of Object.entries(value as { readonly [key: string]: JsonValue | undefined }))
    if (item !== undefined) map.set(key, jsonToWire(item));
  return map;
}

/**
 * JSON from the wire. Objects are made without assigning to any key, so that no key reaches a prototype; `__proto__` is
 * refused, because it would do harm at the next copy.
 */
export function wireToJson(wire: WireValue, depth = 0): Decoded<JsonValue> {
  if (wire === null || typeof wire === 'boolean' || typeof wire === 'string' || typeof wire === 'number')
    return decoded(wire);
  if (typeof wire === 'bigint') {
    const number = Number(wire);
    return Number.isSafeInteger(number) ? decoded(number) : refused('an integer in json exceeds 2^53 - 1');
  }
  if (wire instanceof Uint8Array) return refused('bytes in json');
  if (depth >= MAX_JSON_DEPTH) return refused('json nested too deeply');
  if (wire instanceof Map) {
    const entries: [string, JsonValue][] = [];
    for (const [key, item] of wire as ReadonlyMap<string, WireValue>) {
      if (key === '__proto__') return refused('key __proto__ in json');
      const value = wireToJson(item, depth + 1);
      if (!value.ok) return value;
      entries.push([key, value.value]);
    }
    return decoded(Object.fromEntries(entries));
  }
  const list: JsonValue[] = [];
  for (const item of wire as readonly WireValue[]) {
    const value = wireToJson(item, depth + 1);
    if (!value.ok) return value;
    list.push(value.value);
  }
  return decoded(list);
}
