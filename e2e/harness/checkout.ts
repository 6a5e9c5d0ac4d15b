import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout under test. */
export const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url));

/** The built programs that scenarios start as processes, as a user would. */
export const DAEMON = join(CHECKOUT, 'embedded/lib/main.js');
export const CLI = join(CHECKOUT, 'cli/lib/main.js');
export const IMAGE_DIR = join(CHECKOUT, 'runner/image');
export const PYTHON = join(CHECKOUT, '.venv/bin/python');

for (const path of [DAEMON, IMAGE_DIR, PYTHON]) {
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`npm run setup\` first`);
}
