import type { JSX, ReactNode } from 'react';

/**
 * Stand-ins for JupyterLab's widgets, whose modules need more of a browser than jsdom has. With
 * `vi.mock('@jupyterlab/ui-components', async () => (await import('./testing/lab-stand-ins')).uiComponents())`.
 */
export function uiComponents(): Record<string, unknown> {
  const icon = { react: (): JSX.Element => <svg aria-hidden="true" /> };
  return { checkIcon: icon, copyIcon: icon };
}

export function apputils(): Record<string, unknown> {
  return { UseSignal: ({ children }: { readonly children: () => ReactNode }): JSX.Element => <>{children()}</> };
}
