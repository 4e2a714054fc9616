import { extname } from 'node:path';
import type { ClipStore } from '../clips/clip-store.ts';
import type { LoopedTs } from '../looped-ts.ts';
import type { Route } from '../provider/routes.ts';
import { file, folder, hlsLive, liveTs, redirect, text } from '../provider/routes.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { SourceFields } from '../scenario/schema.ts';

type Building = {
  readonly scenario: Scenario;
  readonly store: ClipStore;
  /** Opened clips by name. */
  readonly clips: ReadonlyMap<string, LoopedTs>;
};

/** Every source of the scenario as a route; makes the films and lists that are not there yet. */
export async function buildRoutes(building: Building): Promise<Readonly<Record<string, Route>>> {
  const { sources } = building.scenario;
  const routes: Record<string, Route> = {};
  for (const [path, source] of Object.entries(sources)) {
    routes[path] =
      liveRoute(source, building) ??
      (await clipRoute(path, source, building)) ??
      plainRoute(source);
  }
  return routes;
}

function liveRoute(source: SourceFields, { clips }: Building): Route | undefined {
  const clip = clips.get(source.live ?? source.hls ?? '');
  if (!clip) return undefined;
  const { speed, type, framing, segment, window, encrypted } = source;
  if (source.live === undefined) {
    return hlsLive(clip, given({ segmentMs: segment, window, encrypted }));
  }
  return liveTs(clip, given({ speed, contentType: type, framing }));
}

async function clipRoute(
  path: string,
  source: SourceFields,
  { scenario, store }: Building,
): Promise<Route | undefined> {
  const clip = scenario.clips[source.vod ?? source.film ?? ''];
  if (!clip) return undefined;
  if (source.vod !== undefined) return folder(await store.vodOf(clip));
  const ending = extname(path);
  const made =
    ending === '.mp4' || ending === '.mkv' ? store.filmOf(clip, ending) : store.pathOf(clip);
  return file(await made, fileOptions(source));
}

function plainRoute(source: SourceFields): Route {
  if (source.file !== undefined) return file(source.file, fileOptions(source));
  if (source.folder !== undefined) return folder(source.folder);
  if (source.redirect !== undefined) return redirect(source.redirect, source.status);
  return text(source.text ?? '', source.type, given({ status: source.status }));
}

const fileOptions = ({ rate, ranges, type }: SourceFields) =>
  given({ bytesPerSecond: rate, ranges, contentType: type });

type Given<T> = { [Name in keyof T]?: NonNullable<T[Name]> };

/** What was said, so that the rest keeps its default. */
const given = <T extends object>(options: T): Given<T> =>
  Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as Given<T>;
