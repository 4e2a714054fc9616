import { InvalidInputError } from '#kernel/app-error';
import { isOption, optionKind, optionName } from './option-table.ts';
import type { OptionKind } from './option-table.ts';
import { isHarmlessFilter, isHarmlessParams, isHarmlessValue } from './option-values.ts';

/** A command as data: what stands before the input, and what is done with it. */
export type Command = {
  readonly input: readonly string[];
  readonly output: readonly string[];
  /** As named with `-f`. */
  readonly format: string | undefined;
  /** The template asks for HLS: said by its output options alone, never by its input. */
  readonly isHls: boolean;
  /** Its segments are fragmented MP4; transport streams otherwise. */
  readonly isFragmented: boolean;
  readonly segmentSeconds: number | undefined;
};

type Draft = {
  input: string[];
  output: string[];
  inputs: number;
  outputs: number;
  format: string | undefined;
  isHls: boolean;
  isFragmented: boolean;
  segmentSeconds: number | undefined;
};

/** A format of our own: HLS whose segments are fragmented MP4. */
const FRAGMENTED_HLS = 'hls_fmp4';
const PLAYLIST_NAME = /^[\w.-]+\.m3u8$/i;
const STANDARD_OUTPUT = new Set(['-', 'pipe:', 'pipe:1']);

/**
 * Reads arguments of FFmpeg. Only what stands on the allow-list is understood; where output goes,
 * and what is read, is never the template's choice.
 *
 * @param isTrusted - Lets through what is not on the list.
 * @throws InvalidInputError `TRANSCODE_TEMPLATE_REFUSED`, naming the option; values are not repeated.
 */
export function readCommand(words: readonly string[], isTrusted = false): Command {
  const draft: Draft = {
    input: [],
    output: [],
    inputs: 0,
    outputs: 0,
    format: undefined,
    isHls: false,
    isFragmented: false,
    segmentSeconds: undefined,
  };
  for (let at = 0; at < words.length;) at += take(draft, words.slice(at, at + 2), isTrusted);
  return draft;
}

/** How many words were taken. */
function take(draft: Draft, [word = '', value]: readonly string[], isTrusted: boolean): number {
  if (!isOption(word)) return takeOutput(draft, word);
  if (word === '-i') return takeInput(draft, value);
  const kind = optionKind(word) ?? (isTrusted ? guessed(value) : undefined);
  if (kind === undefined) throw refused(`The option ${shown(word)} is not allowed.`);
  return kind === 'flag' || kind === 'drop-flag'
    ? takeFlag(draft, kind, word)
    : takeValue(draft, { kind, word, value, isTrusted });
}

function takeFlag(draft: Draft, kind: 'flag' | 'drop-flag', word: string): number {
  if (kind === 'flag') draft.output.push(word);
  return 1;
}

type Valued = {
  readonly kind: OptionKind;
  readonly word: string;
  readonly value: string | undefined;
  readonly isTrusted: boolean;
};

function takeValue(draft: Draft, { kind, word, value, isTrusted }: Valued): number {
  if (value === undefined) throw refused(`The option ${shown(word)} has no value.`);
  if (!isTrusted && !isAllowed(kind, value)) {
    throw refused(`The value of ${shown(word)} is not allowed.`);
  }
  keep(draft, kind, [word, value]);
  return 2;
}

const guessed = (value: string | undefined): OptionKind =>
  value === undefined || isOption(value) ? 'flag' : 'value';

function keep(draft: Draft, kind: OptionKind, [word, value]: readonly [string, string]): void {
  if (kind === 'drop') {
    draft.isHls ||= word.startsWith('-hls_');
  } else if (kind === 'segment') {
    keepSegment(draft, optionName(word), value);
  } else if (kind === 'format') {
    const format = value.toLowerCase();
    draft.format = value;
    draft.isHls ||= format === 'hls' || format === FRAGMENTED_HLS;
    draft.isFragmented ||= format === FRAGMENTED_HLS;
  } else draft.output.push(word, value);
}

function keepSegment(draft: Draft, name: string, value: string): void {
  draft.isHls = true;
  if (name === 'hls_time') draft.segmentSeconds = Number(value) || undefined;
  if (name === 'hls_segment_type') draft.isFragmented = value.toLowerCase() === 'fmp4';
}

/** What came until here was about the input. */
function takeInput(draft: Draft, value: string | undefined): number {
  if (value === undefined) throw refused('The option -i has no value.');
  draft.inputs += 1;
  if (draft.inputs > 1) throw refused('There is one input only.');
  // A format here is the input's, which FFmpeg finds out better than a template.
  Object.assign(draft, {
    input: draft.output,
    output: [],
    format: undefined,
    isHls: false,
    isFragmented: false,
  });
  return 2;
}

function takeOutput(draft: Draft, word: string): number {
  const isPlaylist = PLAYLIST_NAME.test(word);
  if (!isPlaylist && !STANDARD_OUTPUT.has(word)) {
    throw refused('Output goes to pipe:1 or to a playlist without a path, nowhere else.');
  }
  draft.outputs += 1;
  if (draft.outputs > 1) throw refused('There is one output only.');
  draft.isHls ||= isPlaylist;
  return 1;
}

function isAllowed(kind: OptionKind, value: string): boolean {
  if (kind === 'filter') return isHarmlessFilter(value);
  if (kind === 'params') return isHarmlessParams(value);
  return kind === 'drop' || isHarmlessValue(value);
}

const MAX_SHOWN = 40;

/** Options are the caller's own text. */
const shown = (word: string): string => word.replaceAll(/[^\w:-]/g, '?').slice(0, MAX_SHOWN);

export const refused = (message: string): InvalidInputError =>
  new InvalidInputError('TRANSCODE_TEMPLATE_REFUSED', { message });
