import { redactText } from '#kernel/redact-url';

/** How FFmpeg ended. */
export type RunExit = {
  readonly exitCode: number | null;
  readonly signal: string | null;
};

/**
 * Why a run failed.
 * - `template`: FFmpeg does not take these arguments. It never will.
 * - `encoder_missing`: this FFmpeg has not got an encoder, filter or format of that name.
 * - `hardware`: the device that was to encode did not. Software may.
 * - `input`: what came is not media, or breaks off at once.
 * - `memory`, `cpu`: it used more than it may, or than there is.
 * - `killed`, `crashed`: it was the machine.
 * - `stalled`: it was given media and gave none.
 * - `drained`: its worker had to end.
 */
export type RunFailure =
  | 'template'
  | 'encoder_missing'
  | 'hardware'
  | 'input'
  | 'memory'
  | 'cpu'
  | 'killed'
  | 'crashed'
  | 'stalled'
  | 'drained'
  | 'unknown';

/** The first that fits counts: causes stand before what follows from them. */
const SIGNS: readonly (readonly [RunFailure, RegExp])[] = [
  // NVENC says "out of memory" when all its sessions are in use.
  ['hardware', /openencodesession/i],
  ['memory', /cannot allocate memory|out of memory/i],
  [
    'hardware',
    /no capable devices|cannot load (?:libcuda|libnvidia|nvcuda)|no free encod|incompatible client key|cuda_error|device creation failed|failed to initiali[sz]e va|vaapi|mfx|qsv|no va display|hwaccel|failed to create.*device|unsupported device/i,
  ],
  [
    'encoder_missing',
    /unknown encoder|encoder .* not found|no such filter|unknown decoder|requested output format .* is not/i,
  ],
  [
    'template',
    /unrecognized option|option not found|error parsing|invalid argument|unable to parse|undefined constant|trailing option|does not contain any stream|matches no streams|could not write header|incorrect codec parameters|codec not currently supported|is not supported in/i,
  ],
  [
    'input',
    /invalid data found|could not find codec parameters|no such file|moov atom not found|end of file|output file is empty/i,
  ],
];

const TELLING = /\[(?:error|fatal|panic)\]/;

/**
 * What the last lines and the end of a run say about why. Errors count before the rest: a harmless
 * line of a healthy decoder must not hide them.
 */
export function diagnose({ exitCode, signal }: RunExit, lines: readonly string[]): RunFailure {
  if (signal === 'SIGKILL') return 'killed';
  const errors = lines.filter((line) => TELLING.test(line)).join('\n');
  const found = SIGNS.find(([, sign]) => sign.test(errors));
  if (found !== undefined) return found[0];
  if (signal !== null || (exitCode !== null && exitCode > 128)) return 'crashed';
  return 'unknown';
}

/** These come back as often as they are tried. */
export const isFinal = (failure: RunFailure): boolean =>
  failure === 'template' || failure === 'encoder_missing';

/** Signs of a trial that has shown the device to be of no use. */
export const isOfDevice = (failure: RunFailure): boolean => failure === 'hardware';

const MAX_LINE = 500;

/** A line of FFmpeg that is fit to be kept and shown. */
export const shownLine = (line: string): string =>
  redactText(line.replaceAll(/[\p{Cc}]/gu, ' ')).slice(0, MAX_LINE);
