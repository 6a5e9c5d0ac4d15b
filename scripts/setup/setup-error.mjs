/** A failure that a person can mend: `message` says in one sentence what is wrong, `remedy` what to do. */
export class SetupError extends Error {
  name = 'SetupError';

  constructor(message, remedy, options) {
    super(message, options);
    this.remedy = remedy;
  }
}
