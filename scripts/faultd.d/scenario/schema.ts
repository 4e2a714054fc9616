import Joi from 'joi';
import type { ClipRecipe } from '../clips/clip-recipe.ts';
import type { Step } from './action.ts';
import { parseAnswer, parseOrder } from './fault-words.ts';
import { parseRate, parseTimeMs } from './units.ts';

/** Text in the scenario's own units, read by a parser that says what it expected. */
const parsed = (parse: (text: string) => unknown): Joi.AnySchema =>
  Joi.alternatives(Joi.string(), Joi.number())
    .custom((value: string | number, helpers) => {
      try {
        return parse(String(value));
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        return helpers.message({ custom: `{#label}: ${problem}` });
      }
    })
    .messages({ 'alternatives.types': '{#label} must be text or a number' });

const time = parsed(parseTimeMs);
const rate = parsed(parseRate);
const path = Joi.string().pattern(/^\/(?!_faultd)/, 'an address that begins with /');

/** The fields of a made clip, under the names they have in a scenario. */
export type ClipFields = Pick<
  ClipRecipe,
  'video' | 'audio' | 'audioTracks' | 'picture' | 'size' | 'fps' | 'bFrames' | 'firstPid'
> & { tone: number; bitrate: number; constant?: number; startSeconds: number };

const madeClip = Joi.object({
  video: Joi.valid('h264', 'hevc', 'mpeg2', 'none').default('h264'),
  audio: Joi.valid('aac', 'ac3', 'mp2', 'none').default('aac'),
  audioTracks: Joi.number().integer().min(1).max(4).default(1),
  picture: Joi.valid('test', 'inverted').default('test'),
  tone: Joi.number().min(20).max(20_000).default(440),
  size: Joi.string()
    .pattern(/^\d{2,4}x\d{2,4}$/, 'a size such as 640x360')
    .default('640x360'),
  fps: Joi.valid(25, 30, 50).default(25),
  bFrames: Joi.number().integer().min(0).max(4).default(0),
  bitrate: rate.default(125_000),
  constant: rate,
  firstPid: Joi.number().integer().min(0x20).max(0x1f00).default(0x100),
  startSeconds: Joi.number().min(0).max(95_443).default(0),
});
const ownClip = Joi.object({ file: Joi.string().required() });

/** What an address serves: the first field says which kind it is. */
export type SourceFields = {
  readonly live?: string;
  readonly hls?: string;
  readonly vod?: string;
  readonly film?: string;
  readonly file?: string;
  readonly folder?: string;
  readonly redirect?: string;
  readonly text?: string;
  readonly speed?: number;
  readonly type?: string;
  readonly framing?: 'chunked' | 'close';
  readonly segment?: number;
  readonly window?: number;
  readonly encrypted?: boolean;
  readonly rate?: number;
  readonly ranges?: boolean;
  readonly status?: number;
};

const clip = Joi.string();
const type = Joi.string();
const served = { rate, ranges: Joi.boolean(), type };
const source = Joi.alternatives(
  Joi.object({
    live: clip.required(),
    speed: Joi.number().positive().max(100),
    framing: Joi.valid('chunked', 'close'),
    type,
  }),
  Joi.object({
    hls: clip.required(),
    segment: time,
    window: Joi.number().integer().min(2).max(100),
    encrypted: Joi.boolean(),
  }),
  Joi.object({ vod: clip.required() }),
  Joi.object({ film: clip.required(), ...served }),
  Joi.object({ file: Joi.string().required(), ...served }),
  Joi.object({ folder: Joi.string().required() }),
  Joi.object({ redirect: Joi.string().required(), status: Joi.valid(301, 302, 303, 307, 308) }),
  Joi.object({ text: Joi.string().required().allow(''), status: Joi.number().integer(), type }),
).messages({
  'alternatives.match':
    '{#label} must have one of live, hls, vod, film, file, folder, redirect, text, and only fields that go with it',
});

const account = Joi.object({
  connections: Joi.number().integer().min(0).required(),
  answer: parsed(parseAnswer).default(403),
  release: time.default(0),
});

const accounts = Joi.object({
  from: Joi.string()
    .pattern(/^(\?[^=&]+|\/(.*\/)?:account(\/.*)?)$/, 'a path with :account, or ? and a name')
    .required(),
  strangers: Joi.alternatives(Joi.valid('serve'), Joi.number().integer().min(400).max(599)).default(
    401,
  ),
  members: Joi.object().pattern(Joi.string(), account).min(1).required(),
});

/** `12s stall /live/a.ts for 5s`. */
function parseStep(text: string): Step {
  const [at = '', ...order] = text.trim().split(/\s+/);
  return { atMs: parseTimeMs(at), ...parseOrder(order.join(' ')) };
}

const step = Joi.object({ at: parsed(parseStep).required() });

/** What a scenario file may say; `docs/faultd.md` explains every field. */
export const scenarioSchema = Joi.object({
  address: Joi.string().ip({ cidr: 'forbidden' }).default('127.0.0.1'),
  port: Joi.number().port().default(9900),
  tls: Joi.boolean().default(false),
  clock: Joi.valid('start', 'first-request').default('start'),
  repeat: time,
  clips: Joi.object()
    .pattern(
      Joi.string(),
      Joi.alternatives().conditional(Joi.object({ file: Joi.exist() }).unknown(), {
        // oxlint-disable-next-line unicorn/no-thenable -- it is Joi's word.
        then: ownClip,
        otherwise: madeClip,
      }),
    )
    .default({}),
  sources: Joi.object().pattern(path, source).min(1).required(),
  accounts,
  timeline: Joi.array().items(step).default([]),
}).options({ abortEarly: false, errors: { wrap: { label: false } } });
