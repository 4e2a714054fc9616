/**
 * What an option of FFmpeg is to us.
 * - `flag`, `value`: passed on, without and with a value.
 * - `filter`, `params`: passed on, with a value that has rules of its own.
 * - `format`, `segment`: say what the output is; we write them ourselves.
 * - `drop-flag`, `drop`: understood, of no use here, left out: the input is our own, and so is the
 *   place where output goes.
 */
export type OptionKind =
  'flag' | 'value' | 'filter' | 'params' | 'format' | 'segment' | 'drop-flag' | 'drop';

const kinds = (kind: OptionKind, names: string): Record<string, OptionKind> =>
  Object.fromEntries(
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, kind]),
  );

/** Every option that a template may use. None of them opens a file, a device or an address. */
const OPTIONS: Readonly<Record<string, OptionKind>> = {
  ...kinds('flag', 'vn an sn dn re shortest copyts start_at_zero autorotate noautorotate'),
  ...kinds(
    'value',
    `c codec vcodec acodec scodec b ab vb minrate maxrate bufsize crf qp cq qscale q global_quality
     preset tune profile level rc rc_mode rc-lookahead rc_lookahead g keyint_min bf refs sc_threshold
     force_key_frames forced-idr forced_idr r fps_mode vsync s aspect pix_fmt field_order top ac ar
     sample_fmt channel_layout ch_layout vol async map map_metadata map_chapters disposition metadata
     color_range color_primaries color_trc colorspace chroma_sample_location threads filter_threads
     thread_queue_size fflags flags flags2 strict bsf tag avoid_negative_ts max_muxing_queue_size
     max_delay muxdelay muxpreload muxrate flush_packets mpegts_flags mpegts_service_type
     mpegts_service_id mpegts_transport_stream_id mpegts_pmt_start_pid mpegts_start_pid pes_payload_size
     movflags frag_duration min_frag_duration frag_size cluster_time_limit cluster_size_limit
     analyzeduration probesize err_detect ec skip_frame itsoffset ss t to itsscale frames
     hwaccel hwaccel_output_format hwaccel_device extra_hw_frames async_depth low_power look_ahead
     look_ahead_depth surfaces gpu zerolatency spatial-aq spatial_aq temporal-aq temporal_aq aq-strength
     b_ref_mode multipass rc-bufsize quality usage coder cutoff compression_level application vbr
     frame_duration packet_loss mapping_family deadline cpu-used row-mt tile-columns tile-rows
     lag-in-frames auto-alt-ref error-resilient speed sar seekable max_interleave_delta
     max_error_rate trellis me_method me_range subq cmp qmin qmax qdiff qcomp i_qfactor b_qfactor
     weightp aq-mode nal-hrd a53cc dia_size mbtree psy-rd psy wpredp partitions direct-pred
     intra-refresh bluray-compat b-pyramid mixed-refs 8x8dct fast-pskip aud aac_coder profile_v
     bitrate output_ts_offset vaapi_device qsv_device init_hw_device filter_hw_device`,
  ),
  ...kinds('filter', 'vf af filter'),
  ...kinds('params', 'x264-params x264opts x265-params svtav1-params'),
  ...kinds('format', 'f'),
  ...kinds('segment', 'hls_time hls_init_time hls_list_size hls_segment_type seg_duration'),
  ...kinds('drop-flag', 'y n nostdin stdin hide_banner stats nostats'),
  ...kinds(
    'drop',
    `loglevel v stats_period progress reconnect reconnect_streamed reconnect_delay_max
     reconnect_at_eof reconnect_on_network_error reconnect_on_http_error user_agent user-agent headers
     referer cookies timeout rw_timeout listen_timeout protocol_whitelist allowed_extensions
     allowed_segment_extensions extension_picky http_persistent http_seekable http_multiple
     multiple_requests tls_verify max_reload m3u8_hold_counters live_start_index icy
     hls_flags hls_segment_filename hls_fmp4_init_filename hls_playlist_type
     hls_start_number_source hls_delete_threshold hls_allow_cache hls_base_url hls_segment_options
     hls_ts_options start_number strftime strftime_mkdir hls_segment_size hls_subtitle_path
     master_pl_name`,
  ),
};

/** An option that stands for itself, with or without the name of a stream behind a colon. */
export const optionKind = (word: string): OptionKind | undefined => {
  const name = optionName(word);
  return Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
};

/** `-c:v:0` is `c`. */
export const optionName = (word: string): string => word.slice(1).split(':', 1)[0] ?? '';

/** Options begin so; numbers below zero, and `-` for standard output, do not. */
export const isOption = (word: string): boolean =>
  /^-[a-z_]/i.test(word) || word.startsWith('-8x8dct');
