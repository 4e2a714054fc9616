/** What a URI of a playlist leads to; it decides how the resource is fetched and answered. */
export type ResourceKind =
  | 'playlist'
  | 'segment'
  | 'key'
  | 'map'
  /** Whatever it is, it passes as it is. */
  | 'data'
  /** A JSON document that names playlists: interstitials. */
  | 'asset-list'
  /** A JSON document that says which pathway to take. */
  | 'steering'
  /** No resource of its own: how a cloned pathway changes the URL of a playlist. */
  | 'pathway'
  /** Whatever is below it: DASH. */
  | 'folder';

/** The key format that players fetch themselves; all others belong to DRM systems. */
const IDENTITY = 'identity';

type Attributes = ReadonlyMap<string, string>;
type KindRule = ResourceKind | ((attributes: Attributes) => ResourceKind | undefined);

/** A key of a DRM system is asked for by POST at its own server: none of ours. */
const keyKind = (attributes: Attributes): ResourceKind | undefined =>
  (attributes.get('KEYFORMAT') ?? IDENTITY) === IDENTITY ? 'key' : undefined;

const PLAYLIST_NAME = /\.m3u8?(?:[?#]|$)/i;

/** What is loaded early is one of the two that a date range can name later: by the same URL. */
const earlyKind = (attributes: Attributes): ResourceKind =>
  PLAYLIST_NAME.test(attributes.get('X-URI') ?? '') ? 'playlist' : 'asset-list';

/** Every attribute that holds a URI, by tag: RFC 8216bis §4.4, and what vendors added. */
const RULES: ReadonlyMap<string, ReadonlyMap<string, KindRule>> = new Map(
  Object.entries({
    'EXT-X-KEY': { URI: keyKind },
    'EXT-X-SESSION-KEY': { URI: keyKind },
    'EXT-X-MAP': { URI: 'map' },
    'EXT-X-MEDIA': { URI: 'playlist' },
    'EXT-X-I-FRAME-STREAM-INF': { URI: 'playlist' },
    'EXT-X-IMAGE-STREAM-INF': { URI: 'playlist' },
    'EXT-X-SESSION-DATA': { URI: 'data' },
    'EXT-X-PART': { URI: 'segment' },
    'EXT-X-PRELOAD-HINT': {
      URI: (attributes: Attributes) => (attributes.get('TYPE') === 'MAP' ? 'map' : 'segment'),
    },
    'EXT-X-RENDITION-REPORT': { URI: 'playlist' },
    'EXT-X-CONTENT-STEERING': { 'SERVER-URI': 'steering' },
    'EXT-X-DATERANGE': {
      'X-ASSET-URI': 'playlist',
      'X-ASSET-LIST': 'asset-list',
      'X-URI': earlyKind,
    },
  } satisfies Record<string, Record<string, KindRule>>).map(([tag, rules]) => [
    tag,
    new Map<string, KindRule>(Object.entries(rules)),
  ]),
);

/** Whether a tag can hold a URI in an attribute at all. */
export const canHoldUri = (tag: string): boolean => RULES.has(tag);

/** Players resolve the URIs of date ranges against nothing, so they have to be absolute. */
export const needsAbsolute = (tag: string): boolean => tag === 'EXT-X-DATERANGE';

/** What one attribute's URI leads to; `undefined` when it holds none, or one to leave alone. */
export function kindOf(
  tag: string,
  name: string,
  attributes: Attributes,
): ResourceKind | undefined {
  const rule = RULES.get(tag)?.get(name);
  return typeof rule === 'function' ? rule(attributes) : rule;
}

/** What of a segment a tag names: a part of it; or one that is missing, or has yet to come. */
export function partOf(tag: string, attributes: Attributes): 'part' | 'gap' | 'hint' | undefined {
  if (tag === 'EXT-X-PRELOAD-HINT') return 'hint';
  if (tag !== 'EXT-X-PART') return undefined;
  return attributes.get('GAP') === 'YES' ? 'gap' : 'part';
}

/** Tags whose value is a URI as it stands: the early form of a low-latency hint. */
export const PREFETCH_TAG = 'EXT-X-PREFETCH';

/** Its line is taken out where players could not ask its server through us. */
export const STEERING_TAG = 'EXT-X-CONTENT-STEERING';
