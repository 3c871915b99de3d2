/** Something between `${` and `}`, or a quote, that cannot be understood, or a variable that must be set. */
export class SubstitutionError extends Error {
  readonly hint: string | undefined;

  constructor(reason: string, hint?: string) {
    super(reason);
    this.name = 'SubstitutionError';
    this.hint = hint;
  }
}
