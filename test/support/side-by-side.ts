/**
 * Declares tests that run at the same time, for those that mostly wait and share nothing. All begin
 * when the first one is due; each is reported on its own.
 */
export function sideBySide(tests: Readonly<Record<string, () => Promise<void>>>): void {
  let runs: ReadonlyMap<string, Promise<void>> | undefined;
  const begin = () => {
    const begun = Object.entries(tests).map(([name, body]) => [name, body()] as const);
    // One that fails early is reported in its turn, and is nobody's unhandled rejection until then.
    for (const [, run] of begun) run.catch(() => undefined);
    return new Map(begun);
  };
  for (const name of Object.keys(tests)) {
    it(name, () => (runs ??= begin()).get(name));
  }
}
