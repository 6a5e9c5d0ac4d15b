import { spawn } from 'node:child_process';
import { join } from 'node:path';

/**
 * The `cloister` command of the checkout `root`, for the state directory `home`. The function that is returned runs it:
 * `show` lets a person see it and resolves to `{ code, out }`, else its JSON reply is given.
 */
export function cloisterCommand({ root, home }) {
  const program = join(root, 'cli/lib/main.js');
  return function cloister(args, { show = false, onOutput } = {}) {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [program, ...args, ...(show ? [] : ['--json'])], {
        cwd: root,
        env: { ...process.env, CLOISTER_HOME: home },
        stdio: ['ignore', 'pipe', show ? 'inherit' : 'pipe']
      });
      let out = '';
      let problems = '';
      child.stdout.on('data', chunk => {
        out += chunk;
        if (show) process.stdout.write(chunk);
        onOutput?.(out);
      });
      child.stderr?.on('data', chunk => (problems += chunk));
      child.on('error', reject);
      child.on('close', code => {
        if (show) resolve({ code, out });
        else if (code === 0 || out.trim() !== '') resolve(out.trim() === '' ? {} : JSON.parse(out));
        else reject(new Error(`cloister ${args.join(' ')}: ${problems.trim()}`));
      });
    });
  };
}
