import { jcs } from '../bytes/jcs.js';
import type { Json } from '../bytes/json.js';
import { isObject } from '../attestation/token.js';

/**
 * All that can be wrong with one place of a JSON document: left out, said twice, of another type, empty, changed, or with
 * its neighbour's value. A mutation is made from one document and can be applied to another of the same shape.
 */
export interface JsonMutation {
  /** Names of members and numbers of entries, joined by dots; `$` is the document itself. */
  readonly path: string;
  readonly kind: string;
  readonly apply: (document: Json) => Json;
}

/** Ends the name of a member that is there a second time, until the document is written. */
const AGAIN = '\u0001';

/** JSON text, in the given order of members or canonical, with members that are there twice. */
export function writeJson(document: Json, order: 'as given' | 'canonical'): string {
  return (order === 'canonical' ? jcs(document) : JSON.stringify(document)).replaceAll('\\u0001":', '":');
}

type Step = string | number;
type Change = readonly [kind: string, change: (container: Json, step: Step) => Json];

/** Every mutation of every place, in one order. */
export function mutationsOf(document: Json): JsonMutation[] {
  return [...mutationsInside(document, []), ...placesOf(document, []).flatMap(path => mutationsAt(document, path))];
}

function placesOf(value: Json, path: readonly Step[]): (readonly Step[])[] {
  const steps: readonly Step[] = Array.isArray(value) ? value.map((_, at) => at) : isObject(value) ? Object.keys(value) : [];
  return steps.flatMap(step => [[...path, step], ...placesOf(valueAt(value, step), [...path, step])]);
}

function mutationsAt(document: Json, path: readonly Step[]): JsonMutation[] {
  const step = path.at(-1) ?? '';
  const above = path.slice(0, -1);
  const container = above.reduce(valueAt, document);
  const value = valueAt(container, step);
  const values: Change[] = [...otherTypes(value), ...otherValues(value)].map(([kind, other]) => [kind, (inside, at) => withValue(inside, at, other)]);
  const changes: Change[] = [...values, ...placements(container, step), ...neighbours(container, step)];
  const here = changes.map(([kind, change]): JsonMutation => ({ path: path.join('.'), kind, apply: whole => changeAt(whole, above, inside => change(inside, step)) }));
  return [...here, ...mutationsInside(value, path)];
}

/** Mutations of a list or an object as a whole. */
function mutationsInside(value: Json, path: readonly Step[]): JsonMutation[] {
  const named = (kind: string, change: (inside: Json) => Json): JsonMutation => ({ path: path.length === 0 ? '$' : path.join('.'), kind, apply: whole => changeAt(whole, path, change) });
  if (Array.isArray(value)) {
    const more = named('an entry more', inside => (Array.isArray(inside) ? [...inside, null] : inside));
    const turned = named('reorder', inside => (Array.isArray(inside) ? inside.toReversed() : inside));
    return jcs(value) === jcs(value.toReversed()) ? [more] : [more, turned];
  }
  if (!isObject(value)) return [];
  const stranger = named('a member more', inside => (isObject(inside) ? { ...inside, stranger: 1 } : inside));
  const turned = named('reorder', inside => (isObject(inside) ? Object.fromEntries(Object.entries(inside).reverse()) : inside));
  return Object.keys(value).length > 1 ? [stranger, turned] : [stranger];
}

function otherTypes(value: Json): [string, Json][] {
  const all: [string, Json][] = [
    ['null', null],
    ['list', [value]],
    ['object', { value }],
    ['text', JSON.stringify(value)],
    ['number', 1],
    ['boolean', true]
  ];
  return all.filter(([kind]) => kind !== typeOf(value));
}

const typeOf = (value: Json): string => (value === null ? 'null' : typeof value === 'string' ? 'text' : typeof value);

function otherValues(value: Json): [string, Json][] {
  const empty: [string, Json] = ['empty', typeof value === 'string' ? '' : typeof value === 'number' ? 0 : Array.isArray(value) ? [] : isObject(value) ? {} : false];
  const others = typeof value === 'string' ? otherTexts(value) : typeof value === 'number' ? otherNumbers(value) : typeof value === 'boolean' ? [['not', !value] as [string, Json]] : [];
  return [empty, ...others].filter(([, other]) => jcs(other) !== jcs(value));
}

function otherTexts(text: string): [string, Json][] {
  const middle = Math.floor(text.length / 2);
  // But the last character, in which a text of random bytes would be canonical or not by chance.
  const turned = text.slice(0, -1).replaceAll(/\p{L}/gu, char => (char === char.toUpperCase() ? char.toLowerCase() : char.toUpperCase())) + text.slice(-1);
  return [
    ['changed', text.slice(0, middle) + otherChar(text.charAt(middle)) + text.slice(middle + 1)],
    ['shorter', text.slice(0, -1)],
    ['longer', `${text}0`],
    ['blank', `${text} `],
    ['case', turned]
  ];
}

/** Of the same alphabet, so that a digest stays a digest and a time a time. */
function otherChar(char: string): string {
  return char === '0' ? '1' : /[0-9a-f]/.test(char) ? '0' : char === 'g' ? 'h' : 'g';
}

function otherNumbers(value: number): [string, Json][] {
  return [
    ['more', value + 1],
    ['less', value - 1],
    ['a half more', value + 0.5],
    ['negative', -value],
    ['huge', 1e300]
  ];
}

function placements(container: Json, step: Step): Change[] {
  if (typeof step === 'number') {
    return [
      ['drop', inside => (Array.isArray(inside) ? inside.toSpliced(step, 1) : inside)],
      ['again', inside => (Array.isArray(inside) ? inside.toSpliced(step, 0, inside[step] ?? null) : inside)]
    ];
  }
  if (!isObject(container)) return [];
  return [
    ['drop', inside => rebuilt(inside, (name, value) => (name === step ? [] : [[name, value]]))],
    ['twice', inside => rebuilt(inside, (name, value) => (name === step ? [[name, value], [name + AGAIN, value]] : [[name, value]]))],
    ['twice, the first false', inside => rebuilt(inside, (name, value) => (name === step ? [[name, null], [name + AGAIN, value]] : [[name, value]]))],
    ['twice, the last false', inside => rebuilt(inside, (name, value) => (name === step ? [[name, value], [name + AGAIN, null]] : [[name, value]]))]
  ];
}

function neighbours(container: Json, step: Step): Change[] {
  const steps: readonly Step[] = Array.isArray(container) ? container.map((_, at) => at) : isObject(container) ? Object.keys(container) : [];
  const next = steps[(steps.indexOf(step) + 1) % steps.length];
  if (next === undefined || jcs(valueAt(container, step)) === jcs(valueAt(container, next))) return [];
  return [['swap', inside => withValue(withValue(inside, step, valueAt(inside, next)), next, valueAt(inside, step))]];
}

function changeAt(value: Json, path: readonly Step[], change: (inside: Json) => Json): Json {
  const [step, ...rest] = path;
  return step === undefined ? change(value) : withValue(value, step, changeAt(valueAt(value, step), rest, change));
}

function valueAt(value: Json, step: Step): Json {
  const found = Array.isArray(value) ? value[Number(step)] : isObject(value) ? value[step] : undefined;
  if (found === undefined) throw new Error(`there is nothing at ${step}`);
  return found;
}

function withValue(value: Json, step: Step, other: Json): Json {
  if (Array.isArray(value)) return value.with(Number(step), other);
  return rebuilt(value, (name, member) => [[name, name === step ? other : member]]);
}

/** An object with its members in their order, but for what is changed. */
function rebuilt(value: Json, each: (name: string, member: Json) => [string, Json][]): Json {
  return isObject(value) ? Object.fromEntries(Object.entries(value).flatMap(([name, member]) => each(name, member))) : value;
}
