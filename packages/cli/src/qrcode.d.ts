/** The part of the package `qrcode` that is used here; it ships no types of its own. */
declare module 'qrcode' {
  /** Makes the code of a text: a square of modules, without its quiet zone. */
  export function create(
    text: string,
    options: { readonly errorCorrectionLevel?: 'L' | 'M' },
  ): {
    readonly modules: {
      /** Modules on each side. */
      readonly size: number;
      /** 1: dark. */
      get(row: number, column: number): number;
    };
  };
}
