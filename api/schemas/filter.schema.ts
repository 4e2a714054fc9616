import type { Request } from 'express';
import Joi from 'joi';
import { queryText } from '#api/http/query';
import { check } from './check.ts';
import { flag } from './fields.ts';

const required = Joi.string().allow('').required().messages({ 'any.required': 'is required' });

/** A field of the metadata and the value that it must have. */
export type MetadataFilter = { readonly field: string; readonly value: string };

export type Listing = MetadataFilter & { readonly activeOnly: boolean };

const listing = Joi.object({ field: required, value: required, active_only: flag.default(false) });

/** @throws ValidationError */
export function listingOf(req: Request): Listing {
  const query = check<{ field: string; value: string; active_only: boolean }>(
    listing,
    pick(req, ['field', 'value', 'active_only']),
    'query',
  );
  return { field: query.field, value: query.value, activeOnly: query.active_only };
}

export type Counting = {
  readonly field: string;
  readonly values: readonly string[];
  readonly activeOnly: boolean;
};

const counting = Joi.object({
  field: required,
  values: required,
  active_only: flag.default(false),
});

/** @throws ValidationError */
export function countingOf(req: Request): Counting {
  const query = check<{ field: string; values: string; active_only: boolean }>(
    counting,
    pick(req, ['field', 'values', 'active_only']),
    'query',
  );
  const values = query.values.split(',').map((value) => value.trim());
  return { field: query.field, values: values.filter(Boolean), activeOnly: query.active_only };
}

export type Clearing = MetadataFilter & {
  readonly excludeChannelId: string | undefined;
  /** Also when somebody watches. */
  readonly force: boolean;
  /** Leaves first, where not forced. */
  readonly clientId: string | undefined;
};

const clearing = Joi.object({
  field: required,
  value: required,
  exclude_channel_id: Joi.string().allow(''),
  force: flag.default(true),
  client_id: Joi.string()
    .allow('')
    .max(128)
    .messages({ 'string.max': 'must be at most 128 characters long' }),
});

/** @throws ValidationError */
export function clearingOf(req: Request): Clearing {
  const query = check<{
    field: string;
    value: string;
    exclude_channel_id?: string;
    force: boolean;
    client_id?: string;
  }>(clearing, pick(req, ['field', 'value', 'exclude_channel_id', 'force', 'client_id']), 'query');
  return {
    field: query.field,
    value: query.value,
    excludeChannelId: query.exclude_channel_id || undefined,
    force: query.force,
    clientId: query.client_id || undefined,
  };
}

const activity = Joi.object({ active: flag });

/** `?active=`, of `GET /streams`. @throws ValidationError */
export function activityOf(req: Request): boolean | undefined {
  return check<{ active?: boolean }>(activity, pick(req, ['active']), 'query').active;
}

function pick(req: Request, names: readonly string[]): Record<string, string> {
  const entries = names.map((name) => [name, queryText(req, name)] as const);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
