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

/** What FFmpeg is told to write the built-in slate to its standard output. */
export const SLATE_RECIPE: readonly string[] = [
  ...words('-hide_banner -loglevel error -nostdin'),
  ...words('-f lavfi -i anullsrc=r=48000:cl=stereo -filter_complex'),
  CARD,
  ...words('-map [picture] -map 0:a -threads 1'),
  ...words('-c:v libx264 -preset veryfast -profile:v main -level:v 3.1 -bf 0 -crf 26'),
  ...words('-g 20 -keyint_min 20 -sc_threshold 0'),
  ...words('-c:a aac -b:a 64k -t 6.4'),
  ...words('-fflags +bitexact -flags:v +bitexact -flags:a +bitexact'),
  ...words('-f mpegts -mpegts_flags +pat_pmt_at_frames -pes_payload_size 0 pipe:1'),
];
