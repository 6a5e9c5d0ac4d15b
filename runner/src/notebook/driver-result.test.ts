import { expect, test } from 'vitest';

import { parseDriverLine, parseDriverResult, plainText } from './driver-result.js';

const result = (outputs: unknown[], more: Record<string, unknown> = {}) =>
  JSON.stringify({ v: 1, done: 1, cells: [{ index: 0, executionCount: 1, outputs }], ...more });

test.each([
  ['a stream', { output_type: 'stream', name: 'stdout', text: 'x' }],
  ['a picture', { output_type: 'display_data', data: { 'image/png': 'AAAA' }, metadata: { 'image/png': { width: 3 } } }],
  ['JSON', { output_type: 'execute_result', data: { 'application/vnd.x+json': { a: [1] } }, metadata: {}, execution_count: 2 }],
  ['an error', { output_type: 'error', ename: 'E', evalue: 'v', traceback: ['t'] }]
])('%s is kept as it came', (_, output) => {
  expect(parseDriverResult(result([output]), 1)?.cells[0]?.outputs).toEqual([output]);
});

const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);

test.each([
  ['an unknown type', { output_type: 'script', text: 'x' }],
  ['a stream of another name', { output_type: 'stream', name: 'log', text: 'x' }],
  ['one member too many', { output_type: 'stream', name: 'stdout', text: 'x', source: 'y' }],
  ['a number for text', { output_type: 'display_data', data: { 'text/plain': 5 }, metadata: {} }],
  ['a key that is no media type', { output_type: 'display_data', data: { __proto__x: 'y' }, metadata: {} }],
  ['JSON without end', { output_type: 'display_data', data: { 'application/json': deep(200) }, metadata: {} }]
])('%s is left out, and the notebook says so', (_, output) => {
  expect(parseDriverResult(result([output]), 1)?.cells[0]?.outputs).toEqual([
    { output_type: 'stream', name: 'stderr', text: '[Cloister: 1 outputs of no known type were left out]\n' }
  ]);
});

test.each([
  ['no JSON', 'x'],
  ['another version', result([], { v: 2 })],
  ['a member too many', result([], { cell: [] })],
  ['a cell that the notebook does not have', JSON.stringify({ v: 1, done: 0, cells: [{ index: 1, executionCount: null, outputs: [] }] })],
  ['an unknown failure', result([], { failure: { kind: 'cancelled' } })],
  ['sources', JSON.stringify({ v: 1, done: 0, cells: [{ index: 0, executionCount: null, outputs: [], source: 'x' }] })]
])('a result with %s is no result', (_, text) => {
  expect(parseDriverResult(text, 1)).toBeUndefined();
});

test('a line is a count, and nothing else', () => {
  expect(parseDriverLine('{"state":"connecting"}')).toEqual({ state: 'connecting' });
  expect(parseDriverLine('{"state":"running","done":3}')).toEqual({ state: 'running', done: 3 });
  const lines = ['', '{}', '{"state":"running"}', '{"state":"running","done":-1}', '{"state":"ready","data":"x"}', `{"state":"ready"${' '.repeat(300)}}`];
  expect(lines.map(parseDriverLine)).toEqual(lines.map(() => undefined));
});

test('a traceback has no terminal sequences', () => {
  expect(plainText('\u001b[31mred\u001b[0m \u001b]8;;http://x\u0007link\u001b]8;;\u0007\r\n\ttab\u009b2J')).toBe('red link\n\ttab2J');
});
