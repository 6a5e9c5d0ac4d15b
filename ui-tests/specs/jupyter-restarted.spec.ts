import { cancelAll, jobOf, jobsOf, submitByCommand } from '../harness/jobs.js';
import { expectSameList } from '../harness/job-list.js';
import { runningOf } from '../harness/services.js';
import { expect, test } from '../harness/test.js';

const READ = 'import cloister, time\nrows = cloister.path("hospital/measurements").read_text()';

test('Jupyter is restarted while jobs run: the page says so and comes back by itself, and the jobs end well', async ({ lab, page, server, world, watch }) => {
  watch.allow(/ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/, /^WebSocket connection to /, /^Failed to load resource: .* status of (500|502|503|504)/);
  world.writeNotebook('ends-meanwhile.ipynb', [READ, 'time.sleep(4)']);
  world.writeNotebook('outlives-restart.ipynb', [READ, ...Array.from({ length: 12 }, () => 'time.sleep(2)')]);
  try {
    await lab.open();
    await lab.showJobs();
    const long = await submitByCommand(world, 'outlives-restart.ipynb');
    const short = await submitByCommand(world, 'ends-meanwhile.ipynb');
    for (const name of ['outlives-restart.ipynb', 'ends-meanwhile.ipynb']) await expect(lab.row(name)).toContainText(/Running, cell \d+ of \d+/);

    await server.stop();
    const trouble = lab.jobs.getByText('Jupyter Server does not answer.');
    await expect(trouble).toBeVisible();
    await expect(lab.jobs).toContainText('Jobs go on meanwhile.');
    await expect(lab.row('outlives-restart.ipynb')).toContainText('Running');
    // Nothing of Jupyter is left, neither its agent; the command line says how the job fares.
    expect(runningOf(world, 'agent')).toEqual([]);
    await expect.poll(async () => (await jobOf(world, short)).state).toBe('succeeded');
    await server.start();

    await expect(trouble).toHaveCount(0, { timeout: 60_000 });
    await expect(lab.row('ends-meanwhile.ipynb')).toContainText('Finished, not opened yet');
    await expect(lab.row('outlives-restart.ipynb')).toContainText(/Running, cell \d+ of 13|Sealing|Finished/);
    await expectSameList(lab, world);

    await page.reload();
    await lab.ready();
    await lab.showJobs();
    await expectSameList(lab, world);
    await expect(lab.row('outlives-restart.ipynb')).toContainText('Finished, not opened yet', { timeout: 60_000 });
    const ends = (await jobsOf(world)).filter(({ job }) => [long, short].includes(job)).map(({ state }) => state);
    expect(ends).toEqual(['succeeded', 'succeeded']);
  } finally {
    await cancelAll(world);
  }
});
