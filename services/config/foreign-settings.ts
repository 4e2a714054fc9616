/** Settings of m3u-proxy that mean nothing here, with what does the same, or why nothing has to. */
export const FOREIGN_SETTINGS: readonly (readonly [names: string, instead: string])[] = [
  ['APP_DEBUG RELOAD', '`LOG_LEVEL=debug`; nothing is reloaded'],
  [
    'DOCS_URL REDOC_URL OPENAPI_URL',
    'the pages are at `/docs` and `/openapi.json`; `/redoc` leads there',
  ],
  ['LOG_DIR LOG_FILE', 'the log goes to standard output, for whoever runs the process to keep'],
  ['LOG_ANONYMIZE', 'URLs and secrets are never logged'],
  ['TEMP_DIR HLS_TEMP_DIR', '`DATA_DIR`'],
  [
    'HLS_GC_ENABLED HLS_GC_INTERVAL HLS_GC_AGE_THRESHOLD',
    'segments are in memory, and go with their stream',
  ],
  ['HLS_WAIT_TIME', '`TRANSCODE_START_TIMEOUT`'],
  [
    'STREAM_TIMEOUT SHARED_STREAM_TIMEOUT CLEANUP_INTERVAL',
    '`STREAM_TTL`, `STREAM_LINGER`, `SHARED_STREAM_GRACE`; leaving is noticed, not swept up',
  ],
  [
    'STREAM_SHARING_STRATEGY MAX_CLIENTS_PER_SHARED_STREAM',
    '`STREAM_SHARING`; any number of viewers may share',
  ],
  ['CHANGE_BUFFER_CHUNKS', '`VIEWER_BUFFER_BYTES`'],
  [
    'VOD_READ_TIMEOUT VOD_CHUNK_TIMEOUT_SECONDS',
    '`DEFAULT_READ_TIMEOUT`; a file is then resumed at the right byte',
  ],
  [
    'VOD_WRITE_TIMEOUT LIVE_TV_WRITE_TIMEOUT',
    'files may be paused for as long as one likes; `SLOW_VIEWER_TIMEOUT` for live streams',
  ],
  [
    'DEFAULT_MAX_RETRIES DEFAULT_BACKOFF_FACTOR DEFAULT_RETRY_ATTEMPTS DEFAULT_RETRY_DELAY',
    '`STREAM_RETRY_ATTEMPTS` and its companions',
  ],
  [
    'DEFAULT_HEALTH_CHECK_INTERVAL',
    'sources are judged by what they send: [detection.md](detection.md)',
  ],
  [
    'ENABLE_CONNECTION_IDLE_MONITORING CONNECTION_IDLE_ALERT_THRESHOLD CONNECTION_IDLE_ERROR_THRESHOLD',
    '`SLOW_VIEWER_TIMEOUT`',
  ],
  [
    'LIVE_SILENT_RECONNECT_MIN_CHUNKS',
    'a live source that broke off while it worked is asked again at once, spliced',
  ],
  [
    'STRICT_LIVE_TS STRICT_LIVE_TS_PREBUFFER_SIZE STRICT_LIVE_TS_PREBUFFER_TIMEOUT STRICT_LIVE_TS_CIRCUIT_BREAKER_TIMEOUT STRICT_LIVE_TS_CIRCUIT_BREAKER_COOLDOWN',
    'live streams are strict, and sources that fail cool: [state-machines.md](state-machines.md)',
  ],
  [
    'STRICT_LIVE_TS_OVERLAP_TRIM STRICT_LIVE_TS_OVERLAP_SIGNATURE_SIZE STRICT_LIVE_TS_OVERLAP_MAX_SEARCH_SIZE STRICT_LIVE_TS_OVERLAP_MAX_WAIT',
    'a new connection is spliced: [continuity.md](continuity.md)',
  ],
  [
    'PRIMARY_HANDOFF_WAIT_SECONDS DISABLE_ASGI_DISCONNECT_MONITOR',
    'no viewer carries the others, and leaving is noticed at once',
  ],
  ['ENABLE_TRANSCODING_POOLING ENABLE_REDIS_POOLING', 'viewers always share transcodes'],
  ['WORKER_ID HEARTBEAT_INTERVAL', 'processes name themselves'],
  [
    'HW_ACCEL_AVAILABLE HW_ACCEL_TYPE HW_ACCEL_DEVICE',
    '`TRANSCODE_HARDWARE`, `TRANSCODE_DEVICE`; what is there is tried at the start of a worker',
  ],
];
