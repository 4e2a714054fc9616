import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { covers } from '../provider/fault-table.ts';
import type { Order } from './action.ts';
import { type Scenario, type ScenarioFields, toScenario } from './scenario.ts';
import { scenarioSchema, type SourceFields } from './schema.ts';

/** The scenario is wrong; `problems` has one sentence each. */
export class ScenarioError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The scenario is wrong:\n${problems.map((line) => `  ${line}`).join('\n')}`);
    this.name = 'ScenarioError';
    this.problems = problems;
  }
}

/**
 * Reads a scenario file, YAML or JSON; paths in it count from its folder.
 * @throws ScenarioError with every problem at once.
 */
export async function loadScenario(path: string): Promise<Scenario> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new ScenarioError([`${path} cannot be read`]);
  });
  return parseScenario(text, dirname(resolve(path)));
}

/** As `loadScenario`, of text; `folder` is where its relative paths begin. */
export function parseScenario(text: string, folder = '.'): Scenario {
  const { value, error } = scenarioSchema.validate(parsedText(text));
  if (error) throw new ScenarioError(error.details.map(({ message }) => message));
  const scenario = toScenario(value as ScenarioFields);
  const problems = [...unknownClips(scenario), ...wrongNames(scenario), ...lostOrders(scenario)];
  if (problems.length > 0) throw new ScenarioError(problems);
  return withPaths(scenario, folder);
}

function parsedText(text: string): unknown {
  try {
    // JSON is YAML; a repeated key is an error in both.
    return parse(text) as unknown;
  } catch (error) {
    throw new ScenarioError([error instanceof Error ? error.message : String(error)]);
  }
}

export const clipOf = ({ live, hls, vod, film }: SourceFields): string | undefined =>
  live ?? hls ?? vod ?? film;

const unknownClips = ({ sources, clips }: Scenario): readonly string[] =>
  Object.entries(sources)
    .map(([path, source]) => [path, clipOf(source)] as const)
    .filter(([, clip]) => clip !== undefined && !Object.hasOwn(clips, clip))
    .map(([path, clip]) => `sources.${path}: there is no clip ${clip}`);

/** Folders end in `/` and files do not; a film's kind is its ending. */
function wrongNames({ sources }: Scenario): readonly string[] {
  return Object.entries(sources).flatMap(([path, source]) => {
    const isFolder =
      source.hls !== undefined || source.vod !== undefined || source.folder !== undefined;
    if (isFolder !== path.endsWith('/')) {
      return [`sources.${path} must ${isFolder ? '' : 'not '}end in /`];
    }
    const isFilm = source.film === undefined || /\.(ts|mp4|mkv)$/.test(path);
    return isFilm ? [] : [`sources.${path} must end in .ts, .mp4 or .mkv`];
  });
}

const lostOrders = (scenario: Scenario): readonly string[] =>
  scenario.timeline.flatMap((step) =>
    problemsOfOrder(step, scenario).map((problem) => `timeline: ${step.words}: ${problem}`),
  );

/** What is wrong with an order in this scenario: nothing it could meet, or an unknown clip. */
export function problemsOfOrder(
  { path, action }: Order,
  { sources, clips }: Pick<Scenario, 'sources' | 'clips'>,
): readonly string[] {
  const meets = Object.keys(sources).some(
    (key) => covers(path, { path: key, key }) || (key.endsWith('/') && path.startsWith(key)),
  );
  const isKnown = action.kind !== 'card' || Object.hasOwn(clips, action.clip);
  return [
    ...(meets ? [] : [`no source is at ${path}`]),
    ...(isKnown || action.kind !== 'card' ? [] : [`there is no clip ${action.clip}`]),
  ];
}

function withPaths(scenario: Scenario, folder: string): Scenario {
  const absolute = (path: string): string => resolve(folder, path);
  return {
    ...scenario,
    clips: mapValues(scenario.clips, (clip) =>
      'file' in clip ? { file: absolute(clip.file) } : clip,
    ),
    sources: mapValues(scenario.sources, (source) => ({
      ...source,
      ...(source.file === undefined ? {} : { file: absolute(source.file) }),
      ...(source.folder === undefined ? {} : { folder: absolute(source.folder) }),
    })),
  };
}

const mapValues = <T>(
  record: Readonly<Record<string, T>>,
  change: (value: T) => T,
): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
