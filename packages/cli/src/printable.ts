// C0 and C1 controls move the cursor, set titles, answer as if typed; the directional ones make text read as another.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

const escaped = (letter: string): string => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Text from somebody else, safe to show on a terminal: control and direction characters become `\u001b` and the like. */
export const printable = (text: string): string => text.replace(UNSAFE, escaped);

/** One line of JSON, safe to show on a terminal, the same value for a parser. */
export const printableJson = (value: unknown): string =>
  JSON.stringify(value ?? null).replace(UNSAFE, escaped);
