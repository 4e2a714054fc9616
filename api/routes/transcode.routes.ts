import { AppError, InvalidInputError, NotFoundError } from '#kernel/app-error';
import { mediaKindOf } from '#streams';
import type { StreamInput } from '#streams';
import { BUILT_IN_PROFILES, SOFTWARE, isRawTemplate, planOf } from '#transcode';
import type { Hardware, TranscodePlan } from '#transcode';
import type { AppDeps, TranscodingDeps } from '#api/deps';
import type { AddResource } from '#api/http/resource';
import { jsonBody } from '#api/middleware/json-body';
import {
  presentProfile,
  presentProfiles,
  presentResolved,
  presentTranscode,
} from '#api/presenters/transcode.presenter';
import { postedStream } from '#api/schemas/stream.schema';
import { postedProfile, postedTranscode } from '#api/schemas/transcode.schema';
import type { TranscodeBody } from '#api/schemas/transcode.schema';
import { resolvedStream } from './resolved-stream.ts';
import type { PostedResolver } from './resolved-stream.ts';

type Deps = Pick<AppDeps, 'streams' | 'transcoding' | 'resolvers' | 'clock'>;

/** Transcoded streams, and the profiles that they are made with. */
export function transcodeRoutes(resource: AddResource, deps: Deps): void {
  resource('/transcode', {
    post: [
      jsonBody,
      async (req, res) => {
        const { input, ignoredHeaders } = postedStream(req.body);
        const { resolver, ...posted } = postedTranscode(req.body);
        const answer =
          resolver === null
            ? await createTranscode(deps, input, posted)
            : await createResolved(deps, input, { ...posted, resolver });
        res.json({ ...answer, ignored_headers: ignoredHeaders });
      },
    ],
  });
  profileRoutes(resource, deps);
}

async function createTranscode(
  { transcoding, streams }: Deps,
  input: StreamInput,
  posted: Omit<TranscodeBody, 'resolver'>,
) {
  assertNoManifest(input);
  const plan = await planFor(transcoding, posted);
  return presentTranscode(await streams.create(transcoded(input, plan)), plan);
}

async function createResolved(deps: Deps, input: StreamInput, posted: PostedResolver) {
  return presentResolved(await deps.streams.create(await resolvedStream(deps, input, posted)));
}

function profileRoutes(resource: AddResource, { transcoding, clock }: Deps): void {
  const { profiles, trustsTemplates } = transcoding;
  resource('/transcode/profiles', {
    get: async (_req, res) => {
      const own = await profiles.list();
      res.json(presentProfiles(own, await bestHardware(transcoding)));
    },
    post: [
      jsonBody,
      async (req, res) => {
        const { name, description, template } = postedProfile(req.body);
        assertOwn(name);
        assertTemplate(template, trustsTemplates);
        const createdAtMs = clock.nowMs();
        const profile = { name, description: description ?? '', template, createdAtMs };
        await profiles.save(profile);
        res.json({ ...presentProfile(profile), built_in: false });
      },
    ],
  });

  resource('/transcode/profiles/:name', {
    get: async (req, res) => {
      const name = String(req.params['name']);
      const known = BUILT_IN_PROFILES.find((profile) => profile.name === name);
      const profile = known ?? (await profiles.find(name));
      if (profile === undefined) throw noSuchProfile();
      res.json({ ...presentProfile(profile), built_in: known !== undefined });
    },
    delete: async (req, res) => {
      const name = String(req.params['name']);
      assertOwn(name);
      if (!(await profiles.remove(name))) throw noSuchProfile();
      res.json({ message: 'Profile deleted' });
    },
  });
}

/** Renders it once, so that what is not allowed is refused here, and not with each stream. */
const assertTemplate = (userTemplate: string, isTrusted: boolean): unknown =>
  planOf({ profile: '', variables: {}, format: 'mpegts', userTemplate, isTrusted });

/** What the workers that run now encode with, the best of it. */
async function bestHardware({ board }: Pick<TranscodingDeps, 'board'>): Promise<Hardware> {
  const workers = await board.list();
  const found = workers.flatMap(({ hardware }) => hardware);
  return found.find(({ kind }) => kind !== 'software') ?? SOFTWARE;
}

const DEFAULT_PROFILE = 'default';
const DEFAULT_FORMAT = 'mpegts';

async function planFor(
  { profiles, trustsTemplates, servesHls }: TranscodingDeps,
  posted: Omit<TranscodeBody, 'resolver'>,
): Promise<TranscodePlan> {
  const profile = posted.profile ?? DEFAULT_PROFILE;
  const isBuiltIn = BUILT_IN_PROFILES.some(({ name }) => name === profile);
  const own = isBuiltIn || isRawTemplate(profile) ? undefined : await profiles.find(profile);
  const plan = planOf({
    profile,
    variables: posted.profile_variables ?? {},
    format: posted.output_format ?? DEFAULT_FORMAT,
    userTemplate: own?.template,
    isTrusted: trustsTemplates,
    renditions: renditionsIn(posted),
  });
  if (plan.output.delivery === 'hls' && !servesHls) throw unsupported('HLS output');
  return plan;
}

const renditionsIn = ({ renditions }: Pick<TranscodeBody, 'renditions'>) =>
  renditions?.map(({ width, height, video_bitrate: bitrate }) => ({ width, height, bitrate }));

function assertNoManifest({ url, failoverUrls }: StreamInput): void {
  if (![url, ...failoverUrls].some((one) => mediaKindOf(one) === 'dash')) return;
  throw new InvalidInputError('INPUT_INVALID', { message: 'url: DASH is not transcoded' });
}

/** Apps find transcoded streams by what is added to their metadata; their own words win. */
function transcoded(input: StreamInput, plan: TranscodePlan): StreamInput {
  const added = {
    transcoding: 'true',
    profile: plan.profile,
    profile_variables: JSON.stringify(plan.variables),
    ffmpeg_args: plan.args.join(' '),
  };
  return { ...input, metadata: { ...added, ...input.metadata }, transcode: plan };
}

function assertOwn(name: string): void {
  if (!BUILT_IN_PROFILES.some((profile) => profile.name === name)) return;
  throw new AppError('TRANSCODE_PROFILE_BUILT_IN', {
    message: 'A built-in profile can be neither changed nor deleted.',
  });
}

const noSuchProfile = (): NotFoundError =>
  new NotFoundError('TRANSCODE_PROFILE_NOT_FOUND', { message: 'There is no such profile.' });

const unsupported = (what: string): InvalidInputError =>
  new InvalidInputError('TRANSCODE_UNSUPPORTED', {
    message: `${what} is not part of this installation.`,
  });
