const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Filters that look at nothing but what passes through them. */
const FILTERS = words(`
  scale scale_vaapi scale_cuda scale_npp scale_qsv vpp_qsv zscale fps framerate minterpolate format
  aformat hwupload hwupload_cuda hwdownload hwmap null anull copy acopy setpts asetpts settb asettb
  setsar setdar setfield fieldorder yadif yadif_cuda bwdif bwdif_cuda w3fdif kerndeint estdif
  deinterlace_vaapi deinterlace_qsv crop pad transpose transpose_vaapi hflip vflip rotate hqdn3d
  nlmeans atadenoise bm3d unsharp cas eq hue colorbalance colorlevels curves colorspace tonemap
  tonemap_vaapi tonemap_cuda deblock deband noise tile overlay split asplit drawbox fade afade
  aresample volume pan channelmap channelsplit atempo loudnorm dynaudnorm acompressor alimiter
  speechnorm compand highpass lowpass equalizer bass treble adelay apad amix amerge join atrim trim
  silenceremove aecho anequalizer stereotools extrastereo crossfeed earwax`);

/** Of curves, loudnorm and a few more: these name files. */
const FILE_OPTION = /(?:^|[:=])\s*(?:psfile|plot|stats_file|file(?:name)?|textfile|fontfile)\s*=/i;
const FILTER_NAME = /^(?:\[[\w:]+\])*\s*([\w]+)(?:@\w+)?(?:=|\[|\s*$)/;

/** Parameters of x264 and x265 that touch no file. */
const PARAMS = words(`
  keyint min-keyint scenecut no-scenecut bframes b-adapt b-bias b-pyramid ref rc-lookahead bitrate crf
  qp qpmin qpmax qpstep vbv-maxrate vbv-bufsize vbv-init nal-hrd filler force-cfr aq-mode aq-strength
  me merange subme subq trellis psy psy-rd psy-rdoq no-psy deblock no-deblock cabac no-cabac weightp
  weightb no-weightb mbtree no-mbtree threads sliced-threads lookahead-threads slices sync-lookahead
  open-gop no-open-gop repeat-headers annexb aud level profile level-idc tune intra-refresh
  ratetol ipratio pbratio qcomp fast-pskip no-fast-pskip mixed-refs 8x8dct partitions direct
  colorprim transfer colormatrix range fullrange chromaloc videoformat overscan hdr10 hdr10-opt
  master-display max-cll sar bluray-compat pools frame-threads wpp no-wpp pmode pme rd rdoq-level
  limit-refs limit-modes early-skip rskip strong-intra-smoothing sao no-sao rect no-rect amp no-amp
  max-merge tskip cutree no-cutree ctu info no-info log-level hrd high-tier idr-recovery-sei
  scenecut-bias lookahead-slices preset rc enable-overlays film-grain lp pin tile-rows tile-columns
  fast-decode scd mbr lookahead`);

/** One graph of filters, each of which is on the list. */
export const isHarmlessFilter = (graph: string): boolean =>
  !FILE_OPTION.test(graph) && filtersOf(graph).every(isKnownFilter);

function isKnownFilter(filter: string): boolean {
  const name = FILTER_NAME.exec(filter.trim())?.[1];
  return name !== undefined && FILTERS.has(name);
}

/** Cut at commas and semicolons, but for those that are quoted or escaped. */
function filtersOf(graph: string): readonly string[] {
  const parts = graph.match(/(?:\\.|'[^']*'|[^,;\\'])+/g) ?? [];
  return parts;
}

/** Parameters for an encoder, `name=value` and names alone, with colons between them. */
export const isHarmlessParams = (text: string): boolean =>
  text.split(':').every((part) => PARAMS.has((part.split('=', 1)[0] ?? '').toLowerCase()));

/** A plain value: no address, no path, no control character. */
export const isHarmlessValue = (text: string): boolean =>
  /^\/dev\/dri\/\w+$/.test(text) ||
  (!/:\/\/|^\/|^\.\.?\/|\.\.\/|[\p{Cc}]/u.test(text) &&
    !/^(?:file|pipe|concat|subfile|fd|unix):/i.test(text));
