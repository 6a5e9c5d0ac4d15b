// What a person sees first: the tour in front, the notebook that it speaks of beside it.
import { readdirSync } from 'node:fs';

const OPEN = ['README.ipynb', 'outcome-model.ipynb'];

/** Lays out the first workspace of this state directory. One that was used keeps what its user opened. */
export async function openTour({ baseUrl, token, workspaces }) {
  if (readdirSync(workspaces).length > 0) return;
  const names = OPEN.map(path => `notebook:${path}`);
  const tabs = Object.fromEntries(OPEN.map(path => [`notebook:${path}`, { data: { path, factory: 'Notebook' } }]));
  const layout = {
    main: { dock: { type: 'tab-area', currentIndex: 0, widgets: names }, current: names[0] },
    down: { size: 0, widgets: [] },
    left: { collapsed: false, visible: true, current: 'filebrowser', widgets: ['filebrowser'] },
    right: { collapsed: true, visible: true, widgets: [] },
    relativeSizes: [0.2, 0.8, 0]
  };
  const response = await fetch(`${baseUrl}lab/api/workspaces/default`, {
    method: 'PUT',
    headers: { Authorization: `token ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ data: { ...tabs, 'layout-restorer:data': layout }, metadata: { id: 'default' } })
  });
  await response.text();
  // Without it the URL still opens the tour.
  if (!response.ok) process.stderr.write(`The tour's layout was not stored (${response.status}).\n`);
}
