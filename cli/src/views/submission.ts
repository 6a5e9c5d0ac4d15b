import { ERRORS, isErrorCode, type JobView, type Rule } from '@cloister/protocol';
import type { Draft, Plan } from '@cloister/agent';
import { printableLine } from '../terminal/printable.js';
import { formatBytes, short } from '../terminal/quantities.js';
import type { Style } from '../terminal/style.js';
import { formatTable } from '../terminal/table.js';

const MAX_LISTED = 40;

/** Every file that would be sent, with size, digest and why; what is left out; what gives pause. */
export function formatPackage({ made }: Plan, style: Style): string {
  const total = made.files.reduce((sum, file) => sum + file.size, 0);
  const rows = made.files.slice(0, MAX_LISTED).map(file => [
    printableLine(file.path),
    { text: formatBytes(file.size), ...(file.large ? { paint: style.caution } : {}) },
    { text: short(file.digest), paint: style.faint },
    { text: printableLine(file.why), paint: style.faint }
  ]);
  const more = made.files.length > MAX_LISTED ? `\n  … and ${made.files.length - MAX_LISTED} more` : '';
  const left = made.leftOut.length === 0 ? [] : [style.faint(`  Left out: ${printableLine(made.leftOut.map(item => item.path).join(', '))}`)];
  const large = made.files.filter(file => file.large).map(file => style.caution(`  Large: ${printableLine(file.path)} has ${formatBytes(file.size)}. Tables belong into assets, other files perhaps into .cloisterignore.`));
  const secrets = made.secrets.map(secret => style.bad(`  Looks like a secret: ${printableLine(secret.path)}${secret.where === undefined ? '' : `, ${secret.where}`}: ${secret.kind}`));
  return [
    `${style.strong('Code')}  ${made.files.length} file${made.files.length === 1 ? '' : 's'}, ${formatBytes(total)}, sealed to you  ${style.faint(made.code)}`,
    formatTable(rows, { indent: 2, align: ['left', 'right'] }) + more,
    ...left,
    ...large,
    ...secrets
  ].join('\n');
}

/** The inputs, their owners, and what the owners' policies say to this very job. */
export function formatDecisions(draft: Draft, style: Style): string {
  const assets = draft.decisions.flatMap(broker => broker.assets.map(asset => ({ ...asset, broker })));
  const rows = draft.inputs.map(input => {
    // Only an input's own custodian decides about it.
    const asset = assets.find(other => other.name === input.name && other.broker.broker === input.descriptor.custodians[0].broker);
    const decision = asset?.decision ?? 'no answer';
    const paint = decision === 'allow' ? style.good : style.caution;
    return [printableLine(input.name), { text: `version ${input.descriptor.version}, ${formatBytes(input.descriptor.size)}` }, { text: decision, paint }, { text: asset?.rule === undefined ? '' : describeRule(asset.rule), paint: style.faint }];
  });
  const waits = assets.filter(asset => asset.decision === 'wait').map(asset => style.caution(`  Waits for ${printableLine(asset.broker.owner)}: ${printableLine(asset.reasons.join('; '))}`));
  const silent = draft.decisions.filter(broker => broker.decision === 'unreachable').map(broker => style.caution(`  No answer from ${printableLine(broker.owner)}: ${printableLine(broker.reasons.join('; '))}`));
  const keepers = draft.custodians.map(custodian => custodian.owner).join(', ');
  return [
    style.strong('Inputs'),
    rows.length === 0 ? '  none' : formatTable(rows, { indent: 2 }),
    ...waits,
    ...silent,
    style.faint(`  The key of your code goes, sealed, to: ${printableLine(keepers)}. It is released only to a runner that you accept.`)
  ].join('\n');
}

/** What a rule grants, in words. */
export function describeRule(rule: Rule): string {
  const terms = [
    rule.code === 'any' ? 'any code' : rule.code === 'approved' ? 'approved code only' : `${rule.code.length} listed codes`,
    rule.uses === 'any' ? 'any number of jobs' : `at most ${rule.uses} jobs`,
    rule.maxOutputBytes === 'any' ? 'outputs of any size' : `outputs up to ${formatBytes(rule.maxOutputBytes)}`,
    ...(rule.expires === 'any' ? [] : [`until ${rule.expires.slice(0, 10)}`])
  ];
  return terms.join(', ');
}

/** A job's state with what a person wants to know of it. */
export function describeState(view: JobView): string {
  const cells = view.cells === undefined ? '' : `, ${view.cells.done} of ${view.cells.total} cells`;
  // `cancelled: the job was cancelled` says one thing twice.
  const code = view.code === undefined || view.code === view.state ? '' : `: ${sentenceOf(view.code)}`;
  return `${view.state}${cells}${code}`;
}

/** What an error code means; an operator's unknown code is shown as it is. */
export function sentenceOf(code: string): string {
  return isErrorCode(code) ? `${ERRORS[code].title} (${code})` : printableLine(code);
}
