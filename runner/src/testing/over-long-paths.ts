import { execFileSync } from 'node:child_process';

const NEST = `import os, sys
os.chdir(sys.argv[1])
folders = []
for _ in range(30):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
    folders.append(os.open(".", os.O_RDONLY))
open("stolen.csv", "w").write("data")
for folder in folders:
    os.fchmod(folder, int(sys.argv[2]))
`;

/** As a cell does it: folder in folder, each entered by its own name, until no path leads to the file in the last one. */
export function nestBeyondPathMax(folder: string, mode = 0o700): void {
  execFileSync('/usr/bin/python3', ['-c', NEST, folder, String(mode)]);
}
