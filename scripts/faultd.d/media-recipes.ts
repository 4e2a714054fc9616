/** One ffmpeg run inside the folder where the media is made; `files` are written before it. */
export type Step = {
  readonly folder?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly args: readonly string[];
};

/**
 * 200 pictures at 25 Hz and 375 AAC frames at 48 kHz both last 8 s to the sample, so that the file
 * can be looped without a gap or an overlap in either track.
 */
export const DURATION_S = 8;
const PICTURES = '200';
const AUDIO_FRAMES = '375';

/** One picture group a second: a joiner or a switch never waits longer for a keyframe. */
const GOP = '25';

/** Sixteen bytes anybody may know: the key of the encrypted playlists. */
export const AES_KEY = 'penstock-aes-key';
export const AES_IV = '000102030405060708090a0b0c0d0e0f';

/** `words('-f lavfi')`: arguments without spaces in them, written as one would type them. */
const words = (line: string): readonly string[] => line.split(' ');

const QUIET = words('-hide_banner -loglevel error -nostdin -y');
const BIT_EXACT = words('-fflags +bitexact -flags:v +bitexact -flags:a +bitexact');

type Picture = { readonly filters: string; readonly toneHz: number };

const MAIN: Picture = { filters: '', toneHz: 440 };
/** Inverted colours: to be told from `MAIN` by eye and by ear, at about the same bit rate. */
const OTHER: Picture = { filters: ',negate', toneHz: 1000 };

const inputs = ({ filters, toneHz }: Picture): readonly string[] => [
  ...words(`-f lavfi -i testsrc2=size=640x360:rate=25${filters}`),
  ...words(`-f lavfi -i sine=frequency=${toneHz}:sample_rate=48000`),
];

const video = (bitrate: string): readonly string[] => [
  ...words('-c:v libx264 -preset ultrafast -tune zerolatency -profile:v baseline -threads 1'),
  ...words(`-pix_fmt yuv420p -g ${GOP} -keyint_min ${GOP} -sc_threshold 0`),
  ...words(`-b:v ${bitrate} -maxrate ${bitrate} -bufsize ${bitrate}`),
];

const audio = words('-c:a aac -b:a 96k -ac 2');
const length = words(`-frames:v ${PICTURES} -frames:a ${AUDIO_FRAMES}`);
const TS = '-f mpegts -mpegts_flags +pat_pmt_at_frames';

const encode = (picture: Picture, output: string): Step => ({
  args: [
    ...QUIET,
    ...inputs(picture),
    ...video('1M'),
    ...audio,
    ...length,
    ...BIT_EXACT,
    ...words(output),
  ],
});

const copy = (output: string): Step => ({
  args: [...QUIET, ...words('-i main.ts -c copy'), ...BIT_EXACT, ...words(output)],
});

const hls = (folder: string, output: string, files?: Step['files']): Step => ({
  folder,
  ...(files === undefined ? {} : { files }),
  args: [
    ...QUIET,
    ...words('-i ../main.ts -map 0 -c copy'),
    ...BIT_EXACT,
    ...words(`-f hls -hls_time 2 -hls_playlist_type vod ${output} index.m3u8`),
  ],
});

const variants: Step = {
  folder: 'master',
  args: [
    ...QUIET,
    ...inputs(MAIN),
    ...words('-filter_complex [0:v]split=2[a][b];[b]scale=320:180[c]'),
    ...words('-map [a] -map 1:a -map [c] -map 1:a'),
    ...video('1M'),
    ...words('-b:v:1 300k -maxrate:v:1 300k'),
    ...audio,
    ...words(`-t ${DURATION_S}`),
    ...BIT_EXACT,
    ...words('-f hls -hls_time 2 -hls_playlist_type vod -master_pl_name index.m3u8'),
    ...words('-hls_segment_filename v%v-%d.ts'),
    '-var_stream_map',
    'v:0,a:0 v:1,a:1',
    'v%v.m3u8',
  ],
};

/** All media of the tests, in the order in which it is made. */
export const RECIPES: readonly Step[] = [
  encode(MAIN, `${TS} main.ts`),
  encode(OTHER, `${TS} other.ts`),
  encode(MAIN, `${TS} -muxrate 8M heavy.ts`),
  copy(`${TS} -mpegts_start_pid 0x300 -mpegts_pmt_start_pid 0x1200 shifted.ts`),
  copy('-movflags +faststart film.mp4'),
  copy('film.mkv'),
  hls('ts', '-hls_segment_filename seg%d.ts'),
  hls('fmp4', '-hls_segment_type fmp4 -bsf:a aac_adtstoasc'),
  hls('byterange', '-hls_flags single_file'),
  hls('aes', '-hls_key_info_file key.info -hls_segment_filename seg%d.ts', {
    'key.bin': AES_KEY,
    'key.info': `key.bin\nkey.bin\n${AES_IV}\n`,
  }),
  variants,
];
