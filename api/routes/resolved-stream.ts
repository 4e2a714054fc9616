import { DependencyError, InvalidInputError } from '#kernel/app-error';
import { isCookiesText, resolverPlanOf } from '#resolve';
import type { ResolverName } from '#resolve';
import type { StreamInput } from '#streams';
import type { AppDeps } from '#api/deps';
import { cookieFileMessage } from '#api/presenters/cookie-file.presenter';
import { resolverArgsOf } from '#api/presenters/transcode.presenter';
import type { TranscodeBody } from '#api/schemas/transcode.schema';

type Deps = Pick<AppDeps, 'transcoding' | 'resolvers'>;

export type PostedResolver = Pick<TranscodeBody, 'resolver_args' | 'cookies' | 'cookies_path'> & {
  readonly resolver: ResolverName;
};

/**
 * A stream whose URLs are those of pages. Nothing is asked of any page here.
 * @throws AppError `PROGRAM_DISABLED` `PROGRAM_MISSING` `RESOLVER_ARGS_REFUSED`
 *   `COOKIES_FILE_INVALID`
 */
export async function resolvedStream(
  deps: Deps,
  input: StreamInput,
  { resolver: program, ...posted }: PostedResolver,
): Promise<StreamInput> {
  if (!deps.resolvers.isOn[program]) throw disabled(program);
  const resolver = resolverPlanOf({
    program,
    args: posted.resolver_args ?? '',
    cookies: posted.cookies || null,
    cookiesPath: posted.cookies_path || null,
  });
  await assertCookies(deps, resolver);
  await assertInstalled(deps, program);
  const added = { transcoding: 'true', resolver: program, resolver_args: resolverArgsOf(resolver) };
  return { ...input, metadata: { ...added, ...input.metadata }, resolver };
}

async function assertCookies(
  { resolvers: { cookies: files } }: Deps,
  {
    cookies,
    cookiesPath,
  }: { readonly cookies: string | null; readonly cookiesPath: string | null },
): Promise<void> {
  if (cookies !== null && !isCookiesText(cookies)) {
    throw badCookies('The cookies are not the text of a cookies file (Netscape format).');
  }
  const state = cookiesPath === null ? 'fine' : await files.stateOf(cookiesPath);
  if (state !== 'fine') throw badCookies(cookieFileMessage(state));
}

/** While no worker has told what it has, the first viewer will see. */
async function assertInstalled({ transcoding }: Deps, program: ResolverName): Promise<void> {
  const workers = await transcoding.board.list();
  const isMissing = workers.every(({ programs }) => programs?.[program] === null);
  if (workers.length === 0 || !isMissing) return;
  throw new DependencyError('PROGRAM_MISSING', { message: `${NAMES[program]} is not installed.` });
}

const NAMES: Readonly<Record<ResolverName, string>> = { streamlink: 'Streamlink', ytdlp: 'yt-dlp' };

const disabled = (program: ResolverName): InvalidInputError =>
  new InvalidInputError('PROGRAM_DISABLED', { message: `${NAMES[program]} is turned off here.` });

const badCookies = (message: string): InvalidInputError =>
  new InvalidInputError('COOKIES_FILE_INVALID', { message });
