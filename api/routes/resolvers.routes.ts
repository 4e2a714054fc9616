import { InvalidInputError } from '#kernel/app-error';
import type { AppDeps } from '#api/deps';
import { abortedBy } from '#api/http/client-abort';
import { queryText } from '#api/http/query';
import type { AddResource } from '#api/http/resource';
import { jsonBody } from '#api/middleware/json-body';
import { cookieFileMessage, presentCookieFile } from '#api/presenters/cookie-file.presenter';
import { postedQuestion } from '#api/schemas/metadata-question.schema';

/** What pages of video sites are about, and the cookies that they want. */
export function resolverRoutes(
  resource: AddResource,
  { resolvers }: Pick<AppDeps, 'resolvers'>,
): void {
  const { cookies, metadata } = resolvers;
  resource('/validate-cookies-file', {
    get: async (req, res) => {
      const path = queryText(req, 'path')?.trim() ?? '';
      res.json(presentCookieFile(path === '' ? 'blank' : await cookies.stateOf(path)));
    },
  });

  resource('/ytdlp/metadata', {
    post: [
      jsonBody,
      async (req, res) => {
        const question = postedQuestion(req.body);
        if (metadata === undefined) throw disabled();
        const gone = abortedBy(req, res);
        const state = question.cookiesPath && (await cookies.stateOf(question.cookiesPath));
        if (state !== null && state !== '' && state !== 'fine') {
          throw new InvalidInputError('COOKIES_FILE_INVALID', {
            message: cookieFileMessage(state),
          });
        }
        res.json(await metadata.read(question, gone));
      },
    ],
  });
}

const disabled = (): InvalidInputError =>
  new InvalidInputError('PROGRAM_DISABLED', { message: 'yt-dlp is turned off here.' });
