import { AppError, Digest } from '@cloister/protocol';

/** JSON schema of the arguments of a command that acts on one job. */
export const JOB_ARGS = {
  type: 'object',
  properties: { job: { type: 'string', description: 'Digest of the job: sha256: and 64 hexadecimal digits.' } },
  required: ['job']
} as const;

/** The job that a command is to act on. @throws AppError not_found where the argument names none */
export function jobOf(args: Readonly<Record<string, unknown>>): Digest {
  const parsed = Digest.safeParse(args['job']);
  if (!parsed.success) throw new AppError('not_found', 'the command was not told which job', { hint: 'Choose the job in the sidebar Cloister jobs.' });
  return parsed.data;
}
