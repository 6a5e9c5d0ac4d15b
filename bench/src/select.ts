import type { Measurement } from './figure.js';

export interface Selected {
  readonly measurement: Measurement;
  readonly wanted: ReadonlySet<string>;
}

export type Selection = { readonly selected: readonly Selected[] } | { readonly unknown: readonly string[] };

/** A word names the figure of that id, or all whose ids begin with it: `notebook` is every notebook. No word: all. */
export function selectFigures(measurements: readonly Measurement[], words: readonly string[]): Selection {
  const names = (word: string, id: string): boolean => id === word || id.startsWith(`${word}-`);
  const all = measurements.flatMap(({ ids }) => ids);
  const unknown = words.filter(word => !all.some(id => names(word, id)));
  if (unknown.length > 0) return { unknown };
  const isWanted = (id: string): boolean => words.length === 0 || words.some(word => names(word, id));
  const selected = measurements.map(measurement => ({ measurement, wanted: new Set(measurement.ids.filter(isWanted)) }));
  return { selected: selected.filter(({ wanted }) => wanted.size > 0) };
}
