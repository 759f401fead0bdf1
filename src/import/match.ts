/**
 * The table of the source that a name of the old system means: by its id, or by what follows the last
 * dot, where the old system put a schema before it. Letter case counts unless nothing else has the name.
 */
export function matchTable(name: string, ids: readonly string[]): string | undefined {
  const short = name.slice(name.lastIndexOf('.') + 1);
  for (const wanted of [name, short]) {
    if (ids.includes(wanted)) return wanted;
    const alike = ids.filter((id) => id.toLowerCase() === wanted.toLowerCase());
    if (alike.length === 1) return alike[0];
  }
  return undefined;
}
