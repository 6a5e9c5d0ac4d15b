import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { AppError } from '@cloister/protocol';

/** Asks on stderr, so that stdout stays what a program may read. Anything but yes is no. */
export async function askYesNo(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await new Promise<string>(resolve => {
      lines.question(`${question} [y/N] `, resolve);
      lines.once('close', () => resolve(''));
    });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}

/** Whether there is a person to ask. */
export const isInteractive = (): boolean => process.stdin.isTTY && process.stderr.isTTY;

export interface PassphraseSource {
  /** A file of the user's; never an argument or the environment, which other processes can see. */
  readonly file: string | undefined;
  /** Ask twice, since a slip would lock the backup for ever. */
  readonly twice: boolean;
}

/** @throws AppError usage */
export async function readPassphrase({ file, twice }: PassphraseSource): Promise<string> {
  if (file !== undefined) {
    const text = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new AppError('usage', `${file} cannot be read`, { cause });
    });
    return text.replace(/\r?\n$/, '');
  }
  if (!isInteractive()) throw new AppError('usage', 'a passphrase is needed and nobody is there to ask', { hint: 'Give it in a file: --passphrase-file FILE.' });
  const first = await askHidden('Passphrase: ');
  if (twice && (await askHidden('Again: ')) !== first) throw new AppError('usage', 'the two passphrases differ');
  return first;
}

async function askHidden(question: string): Promise<string> {
  process.stderr.write(question);
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silence, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.question('', resolve);
      lines.once('SIGINT', () => reject(new AppError('cancelled', 'broken off', { hint: 'Nothing was changed.' })));
    });
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
