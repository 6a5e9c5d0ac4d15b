import { styleText } from 'node:util';

/** Colours by meaning. Each word is legible without them too. */
export interface Style {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly caution: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly strong: (text: string) => string;
}

export function createStyle(colours: boolean): Style {
  const paint = (format: Parameters<typeof styleText>[0]) => (text: string) => (colours ? styleText(format, text) : text);
  return { good: paint('green'), bad: paint('red'), caution: paint('yellow'), faint: paint('gray'), strong: paint('bold') };
}
