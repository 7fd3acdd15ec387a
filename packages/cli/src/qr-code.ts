import { create } from 'qrcode';

/** Light modules around the code, without which cameras do not find it (ISO/IEC 18004, section 6.3.8). */
const QUIET_ZONE = 4;

/** A screen does not get dirty: little error correction keeps the modules large. */
const CORRECTION = 'L';

/** How a code can be drawn. */
export interface QrStyle {
  /** Dark on light whatever the terminal's colours are; else the letters are taken to be lighter than their ground. */
  readonly coloured: boolean;
  /** Letters in a line; `undefined`: as many as are needed. */
  readonly columns: number | undefined;
}

/** Two modules, one above the other, in one letter: what is dark of them. */
const DARK_BLOCKS: Readonly<Record<string, string>> = { ff: ' ', tf: '▀', ft: '▄', tt: '█' };

const BLACK_ON_WHITE = '\u001b[30;107m';
const PLAIN = '\u001b[0m';

/** Draws `text` as a QR code, two rows of modules a line; `undefined`: the terminal is too narrow for it. */
export function qrCode(text: string, { coloured, columns }: QrStyle): string | undefined {
  const { modules } = create(text, { errorCorrectionLevel: CORRECTION });
  const size = modules.size + 2 * QUIET_ZONE;
  if (columns !== undefined && size > columns) return undefined;
  const isDark = (row: number, column: number): boolean => {
    const [x, y] = [column - QUIET_ZONE, row - QUIET_ZONE];
    return x >= 0 && y >= 0 && x < modules.size && y < modules.size && modules.get(y, x) !== 0;
  };
  // Where no colour may be set, what is light is drawn and what is dark is left out.
  const isDrawn = (row: number, column: number): boolean => isDark(row, column) === coloured && row < size;
  const lines: string[] = [];
  for (let row = 0; row < size; row += 2) {
    let line = '';
    for (let column = 0; column < size; column++)
      line += DARK_BLOCKS[`${letter(isDrawn(row, column))}${letter(isDrawn(row + 1, column))}`] ?? ' ';
    lines.push(coloured ? `${BLACK_ON_WHITE}${line}${PLAIN}` : line);
  }
  return lines.join('\n');
}

const letter = (drawn: boolean): string => (drawn ? 't' : 'f');
