import Joi from 'joi';
import type { Setting } from './setting.ts';

const ACCESS_MODES = ['open', 'link', 'key', 'link-or-key'] as const;
const MIN_SECRET_LENGTH = 32;
const MIN_KEY_LENGTH = 12;

const longEnough = (length: number): RegExp =>
  new RegExp(`^(?:[^\\s,]{${length},1024})(?:,[^\\s,]{${length},1024})*$`);

/** `key` or `name=key`, separated by commas. */
const KEYS = new RegExp(
  `^(?:[^\\s,=]{1,128}=)?[^\\s,=]{${MIN_KEY_LENGTH},256}(?:,(?:[^\\s,=]{1,128}=)?[^\\s,=]{${MIN_KEY_LENGTH},256})*$`,
);

/** Who may watch. */
export const ACCESS_SETTINGS = {
  DELIVERY_ACCESS: {
    schema: Joi.string()
      .valid(...ACCESS_MODES)
      .default('open'),
    group: 'Access',
    meaning:
      'What a viewer has to bring to `/stream` and `/hls`: nothing (`open`), a signed link (`link`), a stream key (`key`), or either (`link-or-key`).',
  },
  STREAM_KEYS: {
    schema: Joi.string().allow('').pattern(KEYS, 'list of keys').default(''),
    group: 'Access',
    meaning:
      'Stream keys besides those that are made by the API, comma-separated, each of at least 12 characters: `key`, or `name=key`.',
  },
  HANDLE_SECRET: {
    schema: Joi.string()
      .allow('')
      .pattern(longEnough(MIN_SECRET_LENGTH), 'list of secrets')
      .default(''),
    group: 'Access',
    meaning:
      'What links and handles are signed and sealed with, at least 32 characters; empty keeps a random one in Redis. To rotate it, put the new one in front of the old, with a comma between.',
  },
} as const satisfies Record<string, Setting>;

export type AccessConfig = {
  readonly mode: (typeof ACCESS_MODES)[number];
  /** Newest first; none: they are kept in Redis. */
  readonly secrets: readonly string[];
  readonly keys: readonly { readonly name: string | null; readonly key: string }[];
};

/** The values as the program takes them. */
export const accessOf = (
  values: Readonly<Record<keyof typeof ACCESS_SETTINGS, string>>,
): AccessConfig => ({
  mode: values.DELIVERY_ACCESS as AccessConfig['mode'],
  secrets: listIn(values.HANDLE_SECRET),
  keys: listIn(values.STREAM_KEYS).map(namedKey),
});

const listIn = (text: string): readonly string[] => text.split(',').filter((part) => part !== '');

function namedKey(text: string): AccessConfig['keys'][number] {
  const at = text.indexOf('=');
  return at === -1
    ? { name: null, key: text }
    : { name: text.slice(0, at), key: text.slice(at + 1) };
}
