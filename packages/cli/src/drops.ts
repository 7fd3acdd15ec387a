/** What was dropped, for people: the most frequent reason first. */
export function describeDrops(counts: Readonly<Record<string, number | undefined>>): string {
  const entries = Object.entries(counts).map(([reason, count]) => [reason, count ?? 0] as const);
  if (entries.length === 0) return 'nothing';
  const sorted = [...entries].sort(([a, most], [b, least]) => least - most || (a < b ? -1 : 1));
  return sorted.map(([reason, count]) => `${count} ${reason}`).join(', ');
}
