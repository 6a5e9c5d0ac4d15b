// Reads what Stryker found: which mutants no test noticed, which of these change only what a person reads, and which are explained.
import { existsSync, readFileSync } from 'node:fs';
import ts from 'typescript';

/** Detected by a failing test, or by never ending. */
const DETECTED = new Set(['Killed', 'Timeout']);
const UNDETECTED = new Set(['Survived', 'NoCoverage']);

/** Members whose values are texts for people, and of which calls the texts are: by place, or all. */
const TEXT_MEMBERS = new Set(['title', 'what', 'hint']);
const TEXT_ARGUMENTS = { skipped: [0], unknown: [0], rejected: [0], pass: [0], fail: [0, 1, 2], expectEqual: [2], expectOneOf: [2], AppError: [1] };

const isWrapping = node => ts.isTemplateExpression(node) || ts.isTemplateSpan(node) || ts.isConditionalExpression(node) || ts.isParenthesizedExpression(node);

/** Whether a literal is nothing but a text for people: a title, a hint, the detail of an error, or the words of an answer. */
function isText(literal) {
  let node = literal;
  // Of a conditional the branches are the text; its condition decides.
  while (isWrapping(node.parent) && !(ts.isConditionalExpression(node.parent) && node.parent.condition === node)) node = node.parent;
  const { parent } = node;
  if (ts.isPropertyAssignment(parent)) return TEXT_MEMBERS.has(parent.name.getText());
  if (!ts.isCallExpression(parent) && !ts.isNewExpression(parent)) return false;
  return TEXT_ARGUMENTS[parent.expression.getText()]?.includes(parent.arguments.indexOf(node)) ?? false;
}

function nodeAt(source, start, end) {
  let found;
  const visit = node => {
    if (node.getStart(source) === start && node.getEnd() === end) found = node;
    if (node.pos <= start && node.end >= end) ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Every undetected mutant: where it is, what it makes of what, and whether that is text alone. */
function undetectedOf(file, { source: text, mutants }) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const place = ({ line, column }) => source.getPositionOfLineAndCharacter(line - 1, column - 1);
  return mutants.filter(({ status }) => UNDETECTED.has(status)).map(({ mutatorName, location, replacement, status }) => {
    const [start, end] = [place(location.start), place(location.end)];
    const node = mutatorName === 'StringLiteral' ? nodeAt(source, start, end) : undefined;
    return { file, line: location.start.line, original: text.slice(start, end), replacement, status, isText: node !== undefined && isText(node) };
  });
}

/** @param path of Stryker's JSON report */
export function readFindings(path) {
  const { files } = JSON.parse(readFileSync(path, 'utf8'));
  const mutants = Object.values(files).flatMap(file => file.mutants);
  const detected = mutants.filter(({ status }) => DETECTED.has(status)).length;
  const undetected = Object.entries(files).flatMap(([file, content]) => undetectedOf(file, content));
  return { detected, undetected, invalid: mutants.length - detected - undetected.length };
}

/**
 * `survivors.json`: groups of undetected mutants, each with the reason why it changes no meaning. Lines move, so that a mutant is named
 * by its file and by what it makes of what.
 */
export function compareWithExplained(undetected, path) {
  const groups = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : [];
  const key = ({ file, original, replacement }) => JSON.stringify([file, original, replacement]);
  const explained = new Set(groups.flatMap(({ mutants }) => mutants.map(key)));
  const found = new Set(undetected.map(key));
  return { unexplained: undetected.filter(mutant => !mutant.isText && !explained.has(key(mutant))), stale: [...explained].filter(name => !found.has(name)) };
}
