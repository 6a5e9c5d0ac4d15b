import { AppError, parseToken, readClaims, type Json } from '@cloister/protocol';
import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import { printable } from '../terminal/printable.js';
import { wrap } from '../terminal/wrap.js';
import { readTokenText } from '../tokens/read-token.js';
import { factsOf, formatFacts } from '../views/token-facts.js';
import type { AddCommand } from './command.js';

export const addTokenInspect: AddCommand = (token, open) => {
  token
    .command('inspect')
    .description('Show what a token says. Nothing is verified. Exit code: 0, or 1 where it is no token.')
    .argument('[file]', 'the token’s file, or - for what is piped in', '-')
    .option('--json', 'one JSON object on stdout')
    .action(async (file: string, flags: { readonly json?: true }, command: Command) => inspect(open(command), file, flags.json === true));
};

const WARNING = 'NOT VERIFIED. Anybody can write a token that says this. To check it: cloister token verify';

async function inspect({ print, printJson, style, width }: CliContext, file: string, json: boolean): Promise<void> {
  const { header, claims } = parse(await readTokenText(file));
  if (json) {
    printJson({ schema: 'cloister.token-inspect.v1', verified: false, header, claims });
    return;
  }
  for (const line of wrap(WARNING, width)) print(style.caution(line));
  print(`\n${formatFacts(factsOf(readClaims(claims)))}`);
  print(`\n${style.strong('Header')}\n${pretty(shortened(header))}`);
  print(`\n${style.strong('Claims')}\n${pretty(claims)}`);
}

function parse(text: string): ReturnType<typeof parseToken> {
  try {
    return parseToken(text);
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    throw new AppError(cause.code, `this is no token: ${cause.detail}`, { cause, hint: 'A token is three parts of base64url with dots between them, as a verifier issues it.' });
  }
}

/** Certificates are long, and nobody reads them as base64. `--json` has them whole. */
function shortened(header: Readonly<Record<string, Json>>): Record<string, Json> {
  const { x5c } = header;
  return Array.isArray(x5c) ? { ...header, x5c: `${x5c.length} certificates` } : { ...header };
}

const pretty = (value: unknown): string => printable(JSON.stringify(value, undefined, 2));
