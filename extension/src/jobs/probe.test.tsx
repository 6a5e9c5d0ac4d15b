// @vitest-environment jsdom
import { vi } from 'vitest';
vi.hoisted(() => { Object.assign(globalThis, { DragEvent: class extends Event {} }); });
import { expect, test } from 'vitest';
import { render } from '@testing-library/react';
import { Copyable } from '../components/parts/copyable';
import { AgentTrouble } from '../components/parts/agent-trouble';
import { nullTranslator } from '@jupyterlab/translation';
test('x', () => {
  const trans = nullTranslator.load('x');
  const r = render(<Copyable value="a" name="b" trans={trans} />);
  expect(r.container.textContent).toContain('a');
  expect(AgentTrouble).toBeDefined();
});
