import type { AppraisalPolicy } from '@cloister/protocol';
import { el, facts, section, shown, type Child, type Fact } from '../element.js';

const WORDS: Readonly<Record<keyof AppraisalPolicy, string>> = {
  verifiers: 'Verifiers',
  images: 'Runner images',
  imageSigners: 'Signers of the image',
  hardware: 'Hardware',
  debug: 'Debugging',
  attributes: 'Support of the system',
  tcb: 'Firmware status',
  gpu: 'GPU',
  projects: 'Cloud projects',
  zones: 'Zones',
  serviceAccounts: 'Service accounts',
  command: 'Command',
  args: 'Command line',
  envOverrides: 'Variables the operator may set',
  env: 'Variables in all',
  restart: 'Restart',
  monitoring: 'Memory monitoring'
};

/** What "any" still refuses, where that is not nothing. */
const ANY: Partial<Readonly<Record<keyof AppraisalPolicy, string>>> = {
  hardware: 'Any confidential hardware',
  tcb: 'Any but revoked',
  gpu: 'None, or one that protects its memory'
};

/** All demands on the runner that the verdict was reached by. */
export function policy(used: AppraisalPolicy | undefined): HTMLElement {
  if (used === undefined) {
    return section('policy', 'Demands on the runner', el('p', {}, 'None: this page was made without a policy. So its verdict is at best “Could not check”, unless something contradicts.'));
  }
  const rows = Object.entries(used).map(([name, value]): Fact => [textFor(WORDS, name) ?? name, ...(value === 'any' ? [textFor(ANY, name) ?? 'Any'] : valueWords(value))]);
  return section('policy', 'Demands on the runner', el('p', { class: 'faint' }, 'The policy by which the runner was appraised, all of it.'), facts(rows));
}

function textFor(words: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(words, name) ? words[name] : undefined;
}

function valueWords(value: AppraisalPolicy[keyof AppraisalPolicy]): Child[] {
  if (value === false) return ['Not accepted'];
  if (value === 'image') return ['The image’s own'];
  if (typeof value === 'string') return [shown(value, 'code')];
  return value.length === 0 ? ['None'] : [el('ul', {}, ...value.map(item => el('li', {}, shown(item, 'code'))))];
}
