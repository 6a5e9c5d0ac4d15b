import { AppError } from '@cloister/protocol';

/** Code of the error that something ends with, `no error` where it does not. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (error: unknown) => (error instanceof AppError ? error.code : String(error))
  );
}

/** The error that something ends with. */
export async function errorOf(work: Promise<unknown>): Promise<AppError> {
  return work.then(
    () => {
      throw new Error('no error');
    },
    (error: unknown) => {
      if (error instanceof AppError) return error;
      throw error;
    }
  );
}
