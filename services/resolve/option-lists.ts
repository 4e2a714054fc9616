import type { ResolverName } from './resolver-name.ts';

/** One option that may be asked for. */
export type OptionRule = {
  /** Its long name, without dashes. */
  readonly name: string;
  /** What its value looks like; absent: it takes none. */
  readonly value?: RegExp;
  /** `meaningless`: of what we do ourselves; accepted, since profiles of others have it. */
  readonly use: 'passed' | 'selector' | 'meaningless';
};

const NUMBER = /^\d{1,6}(?:\.\d{1,3})?$/;
const SIZE = /^\d{1,6}[KkMm]?[Bb]?$/;
const TIME = /^(?:\d{1,2}:)?(?:\d{1,2}:)?\d{1,6}(?:\.\d{1,3})?s?$/;
const LINE = /^[\x20-\x7e]{1,500}$/;
const WORDS = /^[\w.,:;+*/<>=-]{1,200}$/;
const RELOAD_TIME = /^(?:default|duration|segment|live-edge|average|\d{1,3}(?:\.\d{1,3})?)$/;

const passed = (value: RegExp | undefined, names: string): readonly OptionRule[] =>
  names.split(' ').map((name) => ({
    name,
    use: 'passed',
    ...(value === undefined ? {} : { value }),
  }));

const meaningless = (value: RegExp | undefined, names: string): readonly OptionRule[] =>
  passed(value, names).map((rule) => ({ ...rule, use: 'meaningless' }));

type ShortNames = Readonly<Record<string, string>>;

const listOf = (rules: readonly OptionRule[], shorts: ShortNames) => {
  const list = new Map(rules.map((rule) => [`--${rule.name}`, rule]));
  for (const [short, name] of Object.entries(shorts)) {
    const rule = list.get(`--${name}`);
    if (rule !== undefined) list.set(`-${short}`, rule);
  }
  return list;
};

/** Nothing that runs a program, names a file, a host or a port, or changes who is trusted. */
const STREAMLINK: readonly OptionRule[] = [
  { name: 'default-stream', value: WORDS, use: 'selector' },
  ...passed(
    undefined,
    'ipv4 ipv6 hls-live-restart hls-segment-stream-data twitch-disable-ads twitch-disable-reruns twitch-low-latency',
  ),
  ...passed(
    NUMBER,
    'hls-live-edge hls-playlist-reload-attempts http-timeout retry-max retry-open retry-streams stream-segment-attempts stream-segment-threads stream-segment-timeout stream-timeout',
  ),
  ...passed(SIZE, 'ringbuffer-size'),
  ...passed(TIME, 'hls-duration hls-start-offset'),
  ...passed(RELOAD_TIME, 'hls-playlist-reload-time'),
  ...passed(
    WORDS,
    'hls-audio-select locale stream-priority stream-sorting-excludes stream-types twitch-supported-codecs',
  ),
  ...meaningless(undefined, 'stdout quiet force no-version-check'),
  ...meaningless(WORDS, 'loglevel'),
];

const YTDLP: readonly OptionRule[] = [
  { name: 'format', value: LINE, use: 'selector' },
  ...passed(
    undefined,
    'no-playlist force-ipv4 force-ipv6 geo-bypass prefer-free-formats format-sort-force',
  ),
  ...passed(NUMBER, 'socket-timeout extractor-retries retries sleep-requests'),
  ...passed(WORDS, 'format-sort geo-bypass-country playlist-items'),
  ...passed(/^[\w.,:;=+-]{1,300}$/, 'extractor-args'),
  ...meaningless(
    undefined,
    'quiet no-warnings no-progress no-part no-cache-dir hls-use-mpegts no-mtime ignore-config no-continue',
  ),
  ...meaningless(WORDS, 'concurrent-fragments buffer-size merge-output-format remux-video output'),
];

export const OPTIONS: Readonly<Record<ResolverName, ReadonlyMap<string, OptionRule>>> = {
  streamlink: listOf(STREAMLINK, {
    4: 'ipv4',
    6: 'ipv6',
    l: 'loglevel',
    O: 'stdout',
    Q: 'quiet',
    f: 'force',
  }),
  ytdlp: listOf(YTDLP, {
    4: 'force-ipv4',
    6: 'force-ipv6',
    f: 'format',
    S: 'format-sort',
    R: 'retries',
    I: 'playlist-items',
    N: 'concurrent-fragments',
    q: 'quiet',
    o: 'output',
  }),
};
