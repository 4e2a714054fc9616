import Joi from 'joi';
import type { MetadataQuestion } from '#api/deps';
import { checkBody, settled } from './check.ts';
import type { BodySchema } from './check.ts';
import { cookiesPath, flag, orNull, url } from './fields.ts';

type QuestionBody = {
  readonly url: string;
  readonly cookies_path: string | null;
  readonly format: string | null;
  readonly flat_playlist: boolean | null;
};

const questionBody: BodySchema<QuestionBody> = {
  fields: settled(
    Joi.object<QuestionBody>({
      url: url.required(),
      cookies_path: orNull(cookiesPath),
      format: orNull(
        Joi.string()
          .allow('')
          .pattern(/^[^\p{Cc}]{1,512}$/u, 'one line of at most 512 characters'),
      ),
      flat_playlist: orNull(flag),
    }).unknown(true),
  ),
  bounds: { lists: {}, maps: {} },
};

/** The body of `POST /ytdlp/metadata`. @throws ValidationError naming every field at fault. */
export function postedQuestion(body: unknown): MetadataQuestion {
  const { url: page, cookies_path, format, flat_playlist } = checkBody(questionBody, body);
  return {
    url: page,
    cookiesPath: cookies_path || null,
    format: format || null,
    isFlat: flat_playlist ?? false,
  };
}
