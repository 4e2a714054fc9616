import Joi from 'joi';

/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
/** RFC 9110 §5.5, without what would end the line. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]{0,8192}$/;

const value = Joi.string()
  .allow('', null)
  .pattern(FIELD_VALUE, 'one line of Latin-1 text, of at most 8192 characters');

export const MAX_HEADERS = 64;

/** Headers that an app adds to our requests: name to value; `null` means that there is none. */
export const headerMap = Joi.object().pattern(Joi.string().pattern(TOKEN), value);

/** These belong to the connection (RFC 9110 §7.6.1), or to each single request of ours. */
const OURS = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'if-range',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export type SortedHeaders = {
  readonly kept: Readonly<Record<string, string>>;
  /** Names that were left out because an app cannot set them. */
  readonly ignored: readonly string[];
};

/** Parts the headers that an app may set from those that it may not; `null` values are dropped. */
export function sortHeaders(given: Readonly<Record<string, string | null>>): SortedHeaders {
  const entries = Object.entries(given).filter(
    (entry): entry is [string, string] => entry[1] !== null,
  );
  return {
    kept: Object.fromEntries(entries.filter((entry) => !isOurs(entry))),
    ignored: entries.filter(isOurs).map(([name]) => name),
  };
}

const isOurs = ([name]: readonly [string, string]): boolean => OURS.has(name.toLowerCase());
