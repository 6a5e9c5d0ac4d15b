import { addTokenInspect } from './token-inspect.js';
import { addTokenVerify } from './token-verify.js';
import type { AddCommand } from './command.js';

export const addToken: AddCommand = (program, open) => {
  const token = program.command('token').description('Attestation tokens of Confidential Space, by themselves.');
  addTokenInspect(token, open);
  addTokenVerify(token, open);
};
