import { expect, test as base } from '@playwright/test';
import { ConsoleWatch } from './console-watch.js';
import type { JupyterServer } from './jupyter-server.js';
import { Lab, logIn } from './lab.js';
import { makeReport, type RealReport } from './reports.js';
import { World } from './world.js';

export { expect };

interface WorkerFixtures {
  /** The machine that the specs of a worker share; a spec puts back what it changed. */
  readonly world: World;
  /** JupyterLab over it. */
  readonly server: JupyterServer;
  /** A report of a job that succeeded, its outputs beside it. */
  readonly report: RealReport;
}

interface TestFixtures {
  /** Fails the test for errors of ours on any of its pages. */
  readonly watch: ConsoleWatch;
  /** JupyterLab in the test's page, logged in, with a layout of its own; not yet opened. */
  readonly lab: Lab;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  world: [
    async ({}, use) => {
      const world = new World();
      try {
        await world.prepare();
        await use(world);
      } finally {
        await world.close();
      }
    },
    { scope: 'worker', timeout: 120_000 }
  ],
  server: [async ({ world }, use) => use(await world.startJupyter('lab')), { scope: 'worker', timeout: 120_000 }],
  report: [async ({ world }, use) => use(await makeReport(world)), { scope: 'worker', timeout: 120_000 }],
  lab: async ({ page, context, server }, use, { testId }) => {
    await logIn(context, server);
    await use(new Lab(page, server, `t-${testId}`));
  },
  watch: [
    async ({ context }, use) => {
      const watch = new ConsoleWatch(context);
      await use(watch);
      expect(watch.errors, 'errors of Cloister on the page').toEqual([]);
    },
    { auto: true }
  ]
});
