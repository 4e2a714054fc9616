import { InvalidInputError } from '#kernel/app-error';
import { readCommand, refused } from './command.ts';
import type { Command } from './command.ts';
import { hlsOutput, outputOf } from './output.ts';
import type { TranscodeOutput } from './output.ts';
import { ladderOf } from './ladder.ts';
import type { Rendition, RenditionRequest } from './ladder.ts';
import { BUILT_IN_PROFILES, builtIn } from './profiles.ts';
import { renderTemplate } from './template.ts';
import type { Variables } from './template.ts';

/** What a stream is transcoded to; part of its definition, and so durable. */
export type TranscodePlan = {
  /** Name of a profile; `custom` for a raw template. */
  readonly profile: string;
  /** The built-in profile whose arguments depend on what encodes. */
  readonly builtIn: string | null;
  /** All that the template was given. */
  readonly variables: Variables;
  /** What stands before the input, and behind it. */
  readonly input: readonly string[];
  readonly args: readonly string[];
  readonly output: TranscodeOutput;
  /** Between two keyframes that players can begin with. */
  readonly segmentSeconds: number;
  /** A ladder: pictures of several sizes from one run. Absent: one. */
  readonly renditions?: readonly Rendition[];
};

export type PlanRequest = {
  /** A name, or a template that begins with `-`. */
  readonly profile: string;
  readonly variables: Variables;
  readonly format: string;
  /** Of the profile that an app has made under this name. */
  readonly userTemplate?: string | undefined;
  /** Templates are not held to the list of what is harmless. */
  readonly isTrusted: boolean;
  /** Several sizes of pictures, of a built-in profile that has some. */
  readonly renditions?: readonly RenditionRequest[] | undefined;
};

/** It is cut into segments of fragmented MP4. */
export const isFragmentedHls = ({ output }: Pick<TranscodePlan, 'output'>): boolean =>
  output.delivery === 'hls' && output.container === 'mp4';

const PIPED_SECONDS = 2;
const HLS_SECONDS = 4;
const MOST_SECONDS = 30;

export const isRawTemplate = (profile: string): boolean => profile.trimStart().startsWith('-');

/**
 * What a request for a transcode comes to.
 * @throws InvalidInputError `TRANSCODE_PROFILE_UNKNOWN` `TRANSCODE_TEMPLATE_REFUSED`, and
 *   `INPUT_INVALID` for a ladder that cannot be made.
 */
export function planOf(request: PlanRequest): TranscodePlan {
  const plan = singlePlan(request);
  const { renditions } = request;
  if (renditions === undefined || renditions.length === 0) return plan;
  const profile = plan.builtIn === null ? undefined : builtIn(plan.builtIn);
  if (profile?.recipe(plan.variables).video === undefined) throw noLadder();
  const isHls = plan.output.delivery === 'hls';
  return {
    ...plan,
    output: hlsOutput(true),
    segmentSeconds: isHls ? plan.segmentSeconds : HLS_SECONDS,
    renditions: ladderOf(renditions),
  };
}

function singlePlan(request: PlanRequest): TranscodePlan {
  const { profile, isTrusted, userTemplate } = request;
  const known = builtIn(profile);
  const variables = {
    input_url: 'pipe:0',
    output_args: 'pipe:1',
    format: request.format,
    ...request.variables,
  };
  const template = isRawTemplate(profile) ? profile : (known?.template ?? userTemplate);
  if (template === undefined) throw unknownProfile(profile);
  const rendered = renderTemplate(template, { ...variables, input_url: 'pipe:0' });
  const command = readCommand(rendered, isTrusted);
  return {
    profile: isRawTemplate(profile) ? 'custom' : profile,
    builtIn: known?.name ?? null,
    variables,
    input: command.input,
    args: command.output,
    output: outputFor(command, request.format),
    segmentSeconds: segmentSecondsOf(command),
  };
}

/** A container is named by `-f`; where none is, by what the request says. */
function outputFor({ format, isHls, isFragmented }: Command, asked: string): TranscodeOutput {
  if (isHls) return hlsOutput(isFragmented);
  const output = outputOf(format ?? asked);
  if (output === undefined) throw refused('The output format is none that can be sent.');
  return output;
}

function segmentSecondsOf({ isHls, segmentSeconds }: Command): number {
  if (!isHls) return PIPED_SECONDS;
  return Math.min(Math.max(segmentSeconds ?? HLS_SECONDS, 1), MOST_SECONDS);
}

const noLadder = (): InvalidInputError =>
  new InvalidInputError('INPUT_INVALID', {
    message: 'renditions: go with a built-in profile that has pictures',
  });

const MAX_NAME = 64;

function unknownProfile(name: string): InvalidInputError {
  const names = BUILT_IN_PROFILES.map((profile) => profile.name).join(', ');
  const shown = name.replaceAll(/[^\w.-]/g, '?').slice(0, MAX_NAME);
  return new InvalidInputError('TRANSCODE_PROFILE_UNKNOWN', {
    message: `Unknown profile '${shown}'. Available: ${names}.`,
  });
}
