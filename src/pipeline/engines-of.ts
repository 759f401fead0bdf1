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
