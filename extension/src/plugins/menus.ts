import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

/** Its settings schema (`schema/menus.json`) puts our commands into the File menu and the file browser's context menu. */
export const menusPlugin: JupyterFrontEndPlugin<void> = {
  id: 'cloister:menus',
  description: 'Adds Cloister’s commands to the File menu and to the context menu of the file browser.',
  autoStart: true,
  activate: () => undefined
};
