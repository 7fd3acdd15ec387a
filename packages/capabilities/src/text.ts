/** Matches text that UTF-8 cannot say: half of a surrogate pair. */
const UNPAIRED_SURROGATE = /\p{Surrogate}/u;

/** Whether the text has a form in UTF-8, that is, no unpaired surrogate. */
export const isWellFormed = (text: string): boolean => !UNPAIRED_SURROGATE.test(text);

/** Length of well-formed text in UTF-8, in bytes. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    // Each half of a surrogate pair stands for two of the four bytes.
    else if (unit >= 0xd800 && unit <= 0xdfff) bytes += 2;
    else bytes += 3;
  }
  return bytes;
}
