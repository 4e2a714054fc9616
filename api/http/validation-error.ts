import { InvalidInputError } from '#kernel/app-error';

/** What is wrong with one field of a request, in the shape that clients of m3u-proxy know. */
export type FieldProblem = {
  /** Where: `body` or `query`, then the way down to the field. */
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly type: 'missing' | 'value_error';
};

/** A request with one or more fields at fault; all of them are listed. */
export class ValidationError extends InvalidInputError {
  readonly problems: readonly FieldProblem[];

  constructor(problems: readonly FieldProblem[]) {
    super('INPUT_INVALID', { message: problems.map(sentence).join('; ') });
    this.problems = problems;
  }
}

const sentence = ({ loc, msg }: FieldProblem): string =>
  `${loc.slice(1).join('.') || loc[0]}: ${msg}`;
