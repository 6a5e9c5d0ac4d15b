import type { TranslationBundle } from '@jupyterlab/translation';
import type { DraftView } from '@cloister/protocol';

/** The longest purpose that a manifest takes, in UTF-16 units. */
export const LONGEST_PURPOSE = 4096;
/** From here on a counter shows how much room is left. */
export const PURPOSE_COUNTED_FROM = 3600;
const LONGEST_SECONDS = 7 * 24 * 3600;
const SECONDS = { minutes: 60, hours: 3600 } as const;

export type TimeUnit = keyof typeof SECONDS;

/** What a person typed or chose. Kept over a reload; that likely secrets were accepted is not. */
export interface ISubmitValues {
  /** As typed: it may not be a number yet. */
  readonly time: string;
  readonly unit: TimeUnit;
  readonly purpose: string;
  /** Owners whose brokers shall keep the key of the code; none leaves the choice to the agent. */
  readonly custodians: readonly string[];
  /** Names of assets, with commas between; only asked for where the code computes a name. */
  readonly assets: string;
}

/** An empty form. @param minutes the time limit of the settings */
export function initialValues(minutes: number): ISubmitValues {
  return { time: String(minutes), unit: 'minutes', purpose: '', custodians: [], assets: '' };
}

/** Values from storage; anything that is not of their shape is as if nothing had been kept. */
export function parseValues(kept: unknown): ISubmitValues | undefined {
  if (!isRecord(kept)) return undefined;
  const { time, unit, purpose, custodians, assets } = kept;
  if (typeof time !== 'string' || typeof purpose !== 'string' || typeof assets !== 'string') return undefined;
  if ((unit !== 'minutes' && unit !== 'hours') || !Array.isArray(custodians)) return undefined;
  const owners = custodians.filter(owner => typeof owner === 'string');
  return owners.length === custodians.length ? { time, unit, purpose, custodians: owners, assets } : undefined;
}

/** Whether a value is an object whose members can be asked for. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** The time limit in whole seconds; undefined where it is none, or out of bounds. */
export function secondsOf({ time, unit }: ISubmitValues): number | undefined {
  const text = time.trim().replace(',', '.');
  if (!/^\d{1,7}(\.\d{1,4})?$/.test(text)) return undefined;
  const seconds = Math.round(Number(text) * SECONDS[unit]);
  return seconds >= 1 && seconds <= LONGEST_SECONDS ? seconds : undefined;
}

/** What is wrong with the time limit, and how to mend it; undefined where nothing is. */
export function timeProblem(values: ISubmitValues, trans: TranslationBundle): string | undefined {
  if (secondsOf(values) !== undefined) return undefined;
  if (values.time.trim() === '') return trans.__('Enter how long the notebook may run.');
  const amount = Number(values.time.trim().replace(',', '.'));
  if (Number.isNaN(amount)) return trans.__('Enter the time limit as a number, such as 60.');
  if (amount * SECONDS[values.unit] > LONGEST_SECONDS) return trans.__('The time limit is at most seven days: 168 hours.');
  return trans.__('The time limit is at least one second.');
}

/** What is wrong with the purpose; undefined where nothing is. */
export function purposeProblem({ purpose }: ISubmitValues, trans: TranslationBundle): string | undefined {
  const over = purpose.length - LONGEST_PURPOSE;
  if (over <= 0) return undefined;
  return trans._n('The purpose is too long by %1 character.', 'The purpose is too long by %1 characters.', over);
}

/** The assets that a person listed. */
export function assetNames({ assets }: ISubmitValues): string[] {
  return assets.split(/[\s,]+/).filter(name => name !== '');
}

/** What a draft is made of: the values as the agent takes them, those that are not valid left to its defaults. */
export interface IDraftTerms {
  readonly timeoutSeconds?: number;
  readonly purpose: string;
  readonly custodians?: string[];
  readonly assets?: string[];
}

/** The terms to ask for a draft with. */
export function termsOf(values: ISubmitValues): IDraftTerms {
  const timeoutSeconds = secondsOf(values);
  const assets = assetNames(values);
  return {
    purpose: values.purpose.slice(0, LONGEST_PURPOSE),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    ...(values.custodians.length === 0 ? {} : { custodians: [...values.custodians] }),
    ...(assets.length === 0 ? {} : { assets })
  };
}

/** Whether two drafts would send the same files, ask for the same data, and meet the same answers: then what was read of one holds for the other. */
export function sayTheSame(a: DraftView, b: DraftView): boolean {
  const said = ({ code, assets, decisions, custodians }: DraftView): string =>
    JSON.stringify([
      code,
      assets.map(({ name, asset }) => [name, asset]),
      custodians.map(({ broker }) => broker),
      decisions.map(({ broker, decision, assets: each }) => [broker, decision, each.map(({ name, decision: word, rule, version }) => [name, word, rule, version])])
    ]);
  return said(a) === said(b);
}
