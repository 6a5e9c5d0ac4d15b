import { expect, test } from 'vitest';

import { executedCells, notebookOf } from './notebooks.js';

test('a new notebook has its cells, none of them executed', () => {
  expect(executedCells(notebookOf(['1', '2']))).toEqual([{ executed: false, printed: '' }, { executed: false, printed: '' }]);
});

test('what an executed cell printed is read from whole text and from lines, and from nothing else', () => {
  const cells = [
    { cell_type: 'markdown', source: '# Title' },
    {
      cell_type: 'code',
      execution_count: 1,
      outputs: [
        { output_type: 'display_data', data: { 'text/plain': 'banner' } },
        { output_type: 'stream', name: 'stdout', text: ['1\n', '2\n'] },
        { output_type: 'stream', name: 'stdout', text: '3\n' }
      ]
    }
  ];
  expect(executedCells(JSON.stringify({ cells }))).toEqual([{ executed: true, printed: '1\n2\n3\n' }]);
});

test.each(['{}', '[]', 'null', '{"cells":{}}', '{"cells":[{"cell_type":"code"}]}'])('%s is refused: nothing was executed in it', text => {
  expect(() => executedCells(text)).toThrow('not an executed notebook');
});
