import Joi from 'joi';
import { checkBody, settled } from './check.ts';
import type { BodySchema } from './check.ts';
import { cookiesPath, orNull } from './fields.ts';

/** What `POST /transcode` has beside the fields of a stream; absent ones are there as `null`. */
export type TranscodeBody = {
  readonly profile: string | null;
  readonly profile_variables: Readonly<Record<string, string>> | null;
  readonly output_format: string | null;
  readonly resolver: 'streamlink' | 'ytdlp' | null;
  readonly renditions: readonly RenditionBody[] | null;
  readonly resolver_args: string | null;
  /** The text of a cookies file. */
  readonly cookies: string | null;
  readonly cookies_path: string | null;
};

type RenditionBody = {
  readonly width: number | null;
  readonly height: number;
  readonly video_bitrate: string;
};

const MAX_TEMPLATE = 8192;
const MAX_VARIABLES = 64;
const MAX_COOKIES = 131_072;
const word = Joi.string().pattern(/^\w{1,32}$/, 'a word of at most 32 characters');
const variableName = /^[^{}|]{1,64}$/;

const MOST_RENDITIONS = 8;
/** Most pixels that encoders take on a side; they want even numbers. */
const pixels = Joi.number().integer().min(16).max(8192).multiple(2);

const rendition = Joi.object<RenditionBody>({
  width: pixels.allow(null).default(null),
  height: pixels.required(),
  video_bitrate: Joi.string()
    .pattern(/^\d{1,9}(?:\.\d{1,3})?[km]?$/i, 'a bit rate such as 800k or 2.5M')
    .required(),
});

const transcodeFields = Joi.object<TranscodeBody>({
  profile: orNull(Joi.string().max(MAX_TEMPLATE)),
  profile_variables: orNull(
    Joi.object().pattern(variableName, Joi.string().allow('').max(MAX_TEMPLATE)),
  ),
  output_format: orNull(word),
  resolver: orNull(Joi.valid('streamlink', 'ytdlp')),
  resolver_args: orNull(Joi.string().allow('').max(MAX_TEMPLATE)),
  cookies: orNull(Joi.string().allow('').max(MAX_COOKIES)),
  cookies_path: orNull(cookiesPath),
  renditions: orNull(Joi.array().items(rendition).min(1)),
}).unknown(true);

const transcodeBody: BodySchema<TranscodeBody> = {
  fields: settled(transcodeFields),
  bounds: {
    lists: { renditions: MOST_RENDITIONS },
    maps: { profile_variables: MAX_VARIABLES },
  },
};

/** @throws ValidationError naming every field at fault. */
export const postedTranscode = (body: unknown): TranscodeBody => checkBody(transcodeBody, body);

/** A profile as an app posts it. */
export type ProfileBody = {
  readonly name: string;
  readonly description: string | null;
  readonly template: string;
};

const profileFields = Joi.object<ProfileBody>({
  name: Joi.string()
    .pattern(/^[A-Za-z0-9][\w.-]{0,63}$/, 'letters, digits, ., _ and -, at most 64 of them')
    .required(),
  description: orNull(Joi.string().allow('').max(512)),
  template: Joi.string().max(MAX_TEMPLATE).required(),
}).unknown(true);

const profileBody: BodySchema<ProfileBody> = {
  fields: settled(profileFields),
  bounds: { lists: {}, maps: {} },
};

/** @throws ValidationError naming every field at fault. */
export const postedProfile = (body: unknown): ProfileBody => checkBody(profileBody, body);
