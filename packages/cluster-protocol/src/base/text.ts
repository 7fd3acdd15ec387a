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

/** The text of `bytes`, or `undefined` when they are not well-formed UTF-8. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined; // A decoder has no other way to say "malformed"; the caller counts the drop.
  }
}
