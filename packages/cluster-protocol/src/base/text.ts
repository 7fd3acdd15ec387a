/** The two text codecs that every JavaScript host has; the core's compiler project knows no host, so they are declared here. */
declare const TextEncoder: new () => { encode(text: string): Uint8Array };
declare const TextDecoder: new (
  label: 'utf-8',
  options: { fatal: boolean; ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string };

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The UTF-8 bytes of `text`; lone surrogates become U+FFFD. */
export const encodeText = (text: string): Uint8Array => encoder.encode(text);

/** The UTF-8 of as many whole characters of `text` as fit `limit` bytes. */
export function encodeTextUpTo(text: string, limit: number): Uint8Array {
  const bytes = encodeText(text);
  if (bytes.length <= limit) return bytes;
  let end = limit;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--; // In the middle of a character (RFC 3629, section 3).
  return bytes.subarray(0, end);
}

/** The text of `bytes`, or `undefined` when they are not well-formed UTF-8. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined; // A decoder has no other way to say "malformed"; the caller counts the drop.
  }
}
