import type { EngineName, Pipeline } from './pipeline';

/** The engines that the tables of some pipelines may be loaded by. */
export function enginesOf(pipelines: Iterable<Pipeline>): ReadonlySet<EngineName> {
  const engines = new Set<EngineName>();
  for (const { defaults, overrides } of pipelines) {
    engines.add(defaults.engine);
    for (const { settings } of overrides) if (settings.engine) engines.add(settings.engine);
  }
  return engines;
}

/** The platforms that a pipeline names, whichever tables they are for. */
export function platformsOf({ defaults, overrides }: Pipeline): ReadonlySet<string> {
  const named = [defaults, ...overrides.map(({ settings }) => settings)];
  return new Set(named.flatMap(({ platform }) => (platform === undefined ? [] : [platform])));
}
