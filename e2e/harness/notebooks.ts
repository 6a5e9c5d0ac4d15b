import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** nbformat 4.5 from the sources of code cells. */
export function notebookOf(cells: readonly string[]): string {
  return JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { display_name: 'Python 3', language: 'python', name: 'python3' } },
    cells: cells.map((source, at) => ({ id: `cell-${at}`, cell_type: 'code', metadata: {}, execution_count: null, outputs: [], source }))
  });
}

/** Puts files into a folder that is made; gives the path of `analysis.ipynb` among them. */
export async function writeWorkspace(folder: string, cells: readonly string[], files: Readonly<Record<string, string>> = {}): Promise<string> {
  await mkdir(folder, { recursive: true });
  const notebook = join(folder, 'analysis.ipynb');
  await writeFile(notebook, notebookOf(cells));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return notebook;
}

/** Reads both tables, says how many rows, and keeps a file: as short as a job on real data can be. */
export const COUNT_ROWS: readonly string[] = [
  'import cloister\nmeasured = cloister.path("hospital/measurements").read_text().splitlines()\nknown = cloister.path("registry/outcomes").read_text().splitlines()',
  'from pathlib import Path\nPath("outputs").mkdir(exist_ok=True)\nPath("outputs/counts.txt").write_text(f"{len(measured)} {len(known)}")\nprint("rows", len(measured), len(known))'
];

/** Reads the hospital's table, then takes its time. */
export const slowCells = (seconds: number): readonly string[] => [
  'import cloister, time\nrows = cloister.path("hospital/measurements").read_text().splitlines()',
  `time.sleep(${seconds})`,
  'print(len(rows))'
];
