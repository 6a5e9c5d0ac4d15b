import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

/** Its settings schema (`schema/toolbar.json`) puts the button into notebooks' toolbars; users rearrange it in the settings. */
export const toolbarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'cloister:toolbar',
  description: 'Adds the button Submit to TEE to the toolbar of notebooks.',
  autoStart: true,
  activate: () => undefined
};
