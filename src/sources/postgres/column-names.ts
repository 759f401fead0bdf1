/**
 * Which columns the names in a pipeline file mean. A name means the column that is spelled so;
 * where none is, those that differ in letter case alone: an SQL editor shows `Email` of a table
 * that says `email`, and a mask that quietly misses its column would be a leak.
 */
export function columnMatcher(
  wanted: readonly string[],
  columns: readonly string[],
): (column: string) => string | undefined {
  const exact = new Set(columns);
  const names = new Set(wanted);
  const folded = new Map(
    wanted.filter((name) => !exact.has(name)).map((name) => [name.toLowerCase(), name] as const),
  );
  return (column) => (names.has(column) ? column : folded.get(column.toLowerCase()));
}
