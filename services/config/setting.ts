import type Joi from 'joi';

/** One environment variable: how it is read, and what `docs/configuration.md` says of it. */
export type Setting = {
  readonly schema: Joi.Schema;
  readonly group: string;
  /** Unit of the value, where it has one. */
  readonly unit?: string;
  readonly meaning: string;
  /** A value that is there but blank is meant; elsewhere it counts as absent. */
  readonly blankIsMeant?: true;
};
