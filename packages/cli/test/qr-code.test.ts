import test from 'ava';
import { create } from 'qrcode';

import { qrCode } from '../src/qr-code.js';

const URI = `coconet://192.0.2.1:28620/#v=1&net=${'A'.repeat(22)}&key=${'Bcde'.repeat(10)}Bcc&claim=${'A'.repeat(22)}`;

/** What each letter has drawn: its upper and its lower half. */
const HALVES: Readonly<Record<string, readonly [boolean, boolean]>> = {
  ' ': [false, false],
  '▀': [true, false],
  '▄': [false, true],
  '█': [true, true],
};

/** The rows of modules that a drawing shows, as a camera sees them: what is drawn, and what is not. */
function seen(drawing: string): readonly (readonly boolean[])[] {
  return drawing.split('\n').flatMap(line => {
    const halves = Array.from(line).map(letter => HALVES[letter] ?? ([false, false] as const));
    return [halves.map(([upper]) => upper), halves.map(([, lower]) => lower)];
  });
}

const withoutColour = (drawing: string): string => drawing.replace(/\u001b\[[\d;]*m/g, '');

function checkModules(
  t: { is(a: unknown, b: unknown, message?: string): void },
  dark: readonly (readonly boolean[])[],
): void {
  const { modules } = create(URI, { errorCorrectionLevel: 'L' });
  for (let row = 0; row < modules.size + 8; row++)
    for (let column = 0; column < modules.size + 8; column++) {
      const [x, y] = [column - 4, row - 4];
      const isInside = x >= 0 && y >= 0 && x < modules.size && y < modules.size;
      t.is(dark[row]?.[column], isInside && modules.get(y, x) === 1, `row ${row}, column ${column}`);
    }
}

/** Dark and light of a finder pattern are 1:1:3:1:1, whatever made it (ISO/IEC 18004, section 6.3.3). */
const FINDER = [true, false, true, true, true, false, true];

test('in colour the code is dark on white, with a quiet zone of four modules all around', t => {
  const drawing = qrCode(URI, { coloured: true, columns: undefined }) ?? '';

  t.true(drawing.split('\n').every(line => line.startsWith('\u001b[30;107m') && line.endsWith('\u001b[0m')));
  const dark = seen(withoutColour(drawing));
  checkModules(t, dark);
  t.deepEqual(dark[4 + 3]?.slice(4, 11), FINDER);
});

test('without colour the light modules are drawn and the dark ones left out', t => {
  const drawing = qrCode(URI, { coloured: false, columns: undefined }) ?? '';

  t.false(drawing.includes('\u001b'));
  const dark = seen(drawing).map(row => row.map(drawn => !drawn));
  checkModules(t, dark);
  t.deepEqual(dark[4 + 3]?.slice(4, 11), FINDER);
});

test('all lines are as long as the code is wide', t => {
  const lines = withoutColour(qrCode(URI, { coloured: true, columns: undefined }) ?? '').split('\n');

  const width = lines[0]?.length ?? 0;
  t.true(width > 40);
  t.true(lines.every(line => line.length === width));
  t.is(lines.length, Math.ceil(width / 2));
});

test('a terminal that is too narrow gets no code at all', t => {
  const width = withoutColour(qrCode(URI, { coloured: true, columns: undefined }) ?? '').split('\n')[0]!
    .length;

  t.is(qrCode(URI, { coloured: true, columns: width - 1 }), undefined);
  t.not(qrCode(URI, { coloured: true, columns: width }), undefined);
});
