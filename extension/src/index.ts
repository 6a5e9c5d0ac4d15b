import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { agentPlugin } from './plugins/agent';
import { menusPlugin } from './plugins/menus';
import { toolbarPlugin } from './plugins/toolbar';

/** Each can be disabled without breaking the others; what needs another's token is then not there either. */
const plugins: JupyterFrontEndPlugin<unknown>[] = [agentPlugin, toolbarPlugin, menusPlugin];

export default plugins;
