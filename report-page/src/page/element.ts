import { splitVisible, visibleText } from '@cloister/protocol';

/** What goes into an element: other elements, or text. Text becomes text nodes and never markup. */
export type Child = Node | string | undefined;

/** An element with attributes and children. Styles by class only: the page's policy allows no style attribute. */
export function el<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Readonly<Record<string, string>>, ...children: readonly Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter(child => child !== undefined));
  return element;
}

/** What of one text is put into the page at all: nobody reads more, and the page must stay quick. */
const MOST_CHARACTERS = 20_000;
const MOST_LAID_OUT = 400_000;

/** A stranger's text in fixed type or not, unseen characters written out; a long one folded, and open in print. */
export function shown(text: string, tag: 'code' | 'bdi' = 'bdi'): HTMLElement {
  const { start, rest } = splitVisible(text.slice(0, MOST_CHARACTERS));
  if (rest === '') return el(tag, { class: 'shown' }, start);
  const size = text.length > MOST_CHARACTERS ? `The first ${MOST_CHARACTERS} of ${text.length} characters` : `All ${text.length} characters`;
  return el(
    'div',
    { class: 'shown' },
    el(tag, {}, `${start}…`),
    folded(size, el('pre', { tabindex: '0' }, start + rest))
  );
}

/** Text that this page laid out in lines, such as JSON; its end is cut where it is endless. */
export function laidOut(text: string): HTMLElement {
  const cut = text.length > MOST_LAID_OUT;
  const pre = el('pre', { tabindex: '0' }, visibleLines(text.slice(0, MOST_LAID_OUT)));
  return cut ? el('div', {}, pre, el('p', {}, `Cut after ${MOST_LAID_OUT} of ${text.length} characters. The report file has all of it.`)) : pre;
}

/** Line ends stay, since they are ours. */
function visibleLines(text: string): string {
  return text.split('\n').map(visibleText).join('\n');
}

/** Something that is opened by a click, and open in print. */
export function folded(summary: string, ...children: readonly Child[]): HTMLDetailsElement {
  return el('details', {}, el('summary', {}, summary), ...children);
}

/** One name with its value, in one or more pieces. */
export type Fact = readonly [name: string, ...value: Child[]];

/** Names and values in two columns. */
export function facts(rows: readonly Fact[]): HTMLElement {
  return el('dl', { class: 'facts' }, ...rows.map(([name, ...value]) => el('div', {}, el('dt', {}, name), el('dd', {}, ...value))));
}

/** A table with a caption and named columns. */
export function table(caption: string, columns: readonly string[], rows: readonly (readonly Child[])[]): HTMLElement {
  const head = el('tr', {}, ...columns.map(column => el('th', { scope: 'col' }, column)));
  // Where there is little room, cells stand below one another and each says what it is.
  const body = rows.map(row => el('tr', {}, ...row.map((cell, at) => el('td', { 'data-column': columns[at] ?? '' }, cell))));
  return el('table', {}, el('caption', {}, caption), el('thead', {}, head), el('tbody', {}, ...body));
}

/** A part of the page under a heading, by which it is named. */
export function section(id: string, title: string, ...children: readonly Child[]): HTMLElement {
  return el('section', { 'aria-labelledby': `${id}-title`, id }, el('h2', { id: `${id}-title` }, title), ...children);
}
