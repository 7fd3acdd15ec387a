/** The part of the package `qrcode` that is used here; it ships no types of its own. */
declare module 'qrcode' {
  /** Draws `text`; `terminal` sets colours, `utf8` uses block letters alone. */
  export function toString(
    text: string,
    options: {
      readonly type: 'terminal' | 'utf8';
      readonly small?: boolean;
      readonly errorCorrectionLevel?: 'L' | 'M';
    },
  ): Promise<string>;
}
