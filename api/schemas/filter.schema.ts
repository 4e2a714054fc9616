import type { Request } from 'express';
import Joi from 'joi';
import { queryText } from '#api/http/query';
import { checkQuery, settled } from './check.ts';
import { flag } from './fields.ts';

type QuerySchema<T> = { readonly names: readonly string[]; readonly schema: Joi.ObjectSchema<T> };

const querySchema = <T>(fields: Readonly<Record<string, Joi.Schema>>): QuerySchema<T> => ({
  names: Object.keys(fields),
  schema: settled<T>(Joi.object(fields)),
});

/** Parameters that the schema does not name are not looked at. */
function read<T>(req: Request, { names, schema }: QuerySchema<T>): T {
  const entries = names.map((name) => [name, queryText(req, name)] as const);
  const given = entries.filter((entry): entry is [string, string] => entry[1] !== undefined);
  return checkQuery(schema, Object.fromEntries(given));
}

const required = Joi.string().allow('').required();
const optional = Joi.string().allow('');

/** A field of the metadata and the value that it must have. */
export type MetadataFilter = { readonly field: string; readonly value: string };

export type Listing = MetadataFilter & { readonly activeOnly: boolean };

const listing = querySchema<{ field: string; value: string; active_only: boolean }>({
  field: required,
  value: required,
  active_only: flag.default(false),
});

/** @throws ValidationError */
export function listingOf(req: Request): Listing {
  const { field, value, active_only: activeOnly } = read(req, listing);
  return { field, value, activeOnly };
}

export type Counting = {
  readonly field: string;
  readonly values: readonly string[];
  readonly activeOnly: boolean;
};

const counting = querySchema<{ field: string; values: string; active_only: boolean }>({
  field: required,
  values: required,
  active_only: flag.default(false),
});

/** @throws ValidationError */
export function countingOf(req: Request): Counting {
  const { field, values, active_only: activeOnly } = read(req, counting);
  const trimmed = values.split(',').map((value) => value.trim());
  return { field, values: trimmed.filter(Boolean), activeOnly };
}

export type Clearing = MetadataFilter & {
  readonly excludeChannelId: string | undefined;
  /** Also when somebody watches. */
  readonly force: boolean;
  /** Leaves first, where not forced. */
  readonly clientId: string | undefined;
};

type ClearingQuery = MetadataFilter & {
  readonly exclude_channel_id?: string;
  readonly force: boolean;
  readonly client_id?: string;
};

const clearing = querySchema<ClearingQuery>({
  field: required,
  value: required,
  exclude_channel_id: optional,
  force: flag.default(true),
  client_id: optional.max(128),
});

/** @throws ValidationError */
export function clearingOf(req: Request): Clearing {
  const query = read(req, clearing);
  return {
    field: query.field,
    value: query.value,
    excludeChannelId: query.exclude_channel_id || undefined,
    force: query.force,
    clientId: query.client_id || undefined,
  };
}

const activity = querySchema<{ active?: boolean }>({ active: flag });

/** `?active=`, of `GET /streams`. @throws ValidationError */
export const activityOf = (req: Request): boolean | undefined => read(req, activity).active;
