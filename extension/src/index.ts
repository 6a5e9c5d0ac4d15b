import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { agentPlugin } from './plugins/agent';
import { commandsPlugin } from './plugins/commands';
import { jobsPlugin } from './plugins/jobs';
import { jobsModelPlugin } from './plugins/jobs-model';
import { menusPlugin } from './plugins/menus';
import { notificationsPlugin } from './plugins/notifications';
import { reportPlugin } from './plugins/report';
import { submitPlugin } from './plugins/submit';
import { toolbarPlugin } from './plugins/toolbar';

/** Each can be disabled without breaking the others; what needs another's token is then not there either. */
const plugins: JupyterFrontEndPlugin<unknown>[] = [
  agentPlugin,
  jobsModelPlugin,
  jobsPlugin,
  commandsPlugin,
  notificationsPlugin,
  submitPlugin,
  reportPlugin,
  toolbarPlugin,
  menusPlugin
];

export default plugins;
