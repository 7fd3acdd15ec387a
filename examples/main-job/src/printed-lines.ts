/** A line for another terminal, and what it does. */
export interface PrintedLine {
  readonly line: string;
  readonly says: string;
}

/** Complete lines of the tool for a device with a host monitor; `store` holds an identity that nobody else uses. */
export function printedLines(device: string, store: string): readonly PrintedLine[] {
  const line = (words: string, says: string): PrintedLine => ({
    line: `npx coconet ${words} --store ${quoted(store)}`,
    says,
  });
  const system = quoted(`${device}/system`);
  const beacon = quoted(`${device}/beacon`);
  return [
    line('nodes', 'who is in the network'),
    line('ls', 'what there is'),
    line(`get ${system} diagnostics.cpuLoad`, 'one value'),
    line(`watch ${system}`, 'values as they change'),
    line(`call ${beacon} identify.identify duration=3000`, 'the beacon blinks'),
    line(`call ${beacon} onOff.toggle`, 'the beacon goes on or off'),
    line(`explain ${quoted(device)}`, 'why the path is what it is'),
  ];
}

/** A word as a POSIX shell reads it back; plain words stay as they are. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
