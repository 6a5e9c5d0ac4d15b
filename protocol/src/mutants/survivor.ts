/** Mutants that get through although whoever may sign signed them, and why they may. */
export interface Survivor {
  /** What was mutated: a token's header or claims, or a part of a report. */
  readonly of: string;
  readonly paths: readonly string[];
  /** `any`: every one that was tried, but saying it twice, and exchanging it with a neighbour that may mean something. */
  readonly kinds: readonly string[] | 'any';
  readonly because: string;
  /** Where it holds for some subjects only. */
  readonly only?: readonly string[];
}
