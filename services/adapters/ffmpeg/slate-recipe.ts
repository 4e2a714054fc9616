import type { Look } from '#mpegts';

const words = (line: string): readonly string[] => line.split(' ');

/**
 * A dark card with a bar that glides to and fro: no letters, as no font can be counted on. 160
 * pictures at 25 Hz and 300 AAC frames at 48 kHz both last 6.4 s to the sample, and the bar is then
 * where it began, so that nothing shows where the clip follows itself.
 */
const CARD = [
  'color=c=0x14181f:s=1280x720:r=25[card]',
  'color=c=0x262d38:s=640x8:r=25[rail]',
  'color=c=0x5b9bd5:s=96x8:r=25[bar]',
  '[card][rail]overlay=x=320:y=356[rest]',
  "[rest][bar]overlay=x='320+272*(1-cos(2*PI*t/3.2))':y=356,format=yuv420p[picture]",
].join(';');

type ByCodec = Readonly<Partial<Record<string, readonly string[]>>>;

const GROUPS = '-g 20 -keyint_min 20';
const VIDEO: ByCodec = {
  h264: [
    ...words('-c:v libx264 -preset veryfast -profile:v main -level:v 3.1 -bf 0 -crf 26'),
    ...words(`${GROUPS} -sc_threshold 0`),
  ],
  hevc: [
    ...words('-c:v libx265 -preset ultrafast -crf 28 -x265-params'),
    'keyint=20:min-keyint=20:scenecut=0:open-gop=0:bframes=0:log-level=none:pools=1:frame-threads=1',
  ],
  'mpeg2-video': words(`-c:v mpeg2video -q:v 4 -bf 0 ${GROUPS} -sc_threshold 1000000000`),
};

const AUDIO: ByCodec = {
  aac: words('aac -b:a 64k'),
  ac3: words('ac3 -b:a 96k'),
  eac3: words('eac3 -b:a 96k'),
  'mpeg-audio': words('mp2 -b:a 96k'),
};

/**
 * What FFmpeg is told to write the built-in slate with these tracks to its standard output, in
 * silence; undefined where a codec is none that it writes.
 */
export function slateRecipe({ video, audio }: Look): readonly string[] | undefined {
  const pictures = video === undefined ? [] : VIDEO[video];
  const sounds = audio.map(({ codec }) => AUDIO[codec]);
  if (pictures === undefined || sounds.includes(undefined)) return undefined;
  const hasPictures = pictures.length > 0;
  return [
    ...words('-hide_banner -loglevel error -nostdin'),
    ...audio.flatMap(({ samplesPerSecond }) =>
      words(`-f lavfi -i anullsrc=r=${samplesPerSecond}:cl=stereo`),
    ),
    ...(hasPictures ? ['-filter_complex', CARD, '-map', '[picture]'] : []),
    ...audio.flatMap((_, index) => words(`-map ${index}:a`)),
    ...words('-threads 1'),
    ...pictures,
    ...sounds.flatMap((sound = [], index) => [`-c:a:${index}`, ...sound]),
    ...words('-t 6.4 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact'),
    ...words('-f mpegts -mpegts_flags +pat_pmt_at_frames -pes_payload_size 0 pipe:1'),
  ];
}
