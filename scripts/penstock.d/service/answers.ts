/** Answers of the API, as far as this program shows them. */

export type StreamAnswer = {
  readonly stream_id: string;
  readonly original_url: string;
  readonly current_url: string | null;
  readonly stream_type: string;
  readonly client_count: number;
  readonly is_active: boolean;
  readonly has_failover: boolean;
  readonly failover_urls: readonly string[];
  readonly current_failover_index: number;
  readonly failover_attempts: number;
  readonly last_failover_time: string | null;
  readonly total_bytes_served: number;
  readonly error_count: number;
  /** What the slate that viewers see stands for. */
  readonly slate: string | null;
  readonly sharing: string | null;
  readonly created_at: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly media_info: MediaAnswer;
  /** What a transcode gives; empty for all other streams, and while none runs. */
  readonly output_media_info: MediaAnswer & { readonly speed?: number };
};

/** What the stream consists of; empty until it is known. */
export type MediaAnswer = {
  readonly resolution?: string;
  readonly fps?: number;
  readonly video_codec?: string;
  readonly audio_codec?: string;
  readonly audio_channels?: string;
};

export type ViewerAnswer = {
  readonly client_id: string;
  readonly stream_id: string;
  readonly ip_address: string;
  readonly user_agent: string;
  readonly username: string | null;
  readonly bytes_served: number;
  readonly created_at: string;
};

export type TotalsAnswer = {
  readonly total_streams: number;
  readonly active_streams: number;
  readonly active_clients: number;
  readonly total_bytes_served: number;
  readonly total_segments_served: number;
  readonly uptime_seconds: number;
};

export type StatsAnswer = TotalsAnswer & {
  readonly streams: readonly StreamAnswer[];
  readonly clients: readonly ViewerAnswer[];
};

export type SwitchAnswer = {
  readonly at: string;
  readonly from_index: number;
  readonly to_index: number;
  readonly reason: string;
  readonly gap_ms: number | null;
};

/** One run of FFmpeg for a transcoded stream. */
export type RunAnswer = {
  readonly state: string;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly error_reason: string | null;
  readonly hardware: string | null;
};

export type ProfileAnswer = {
  readonly name: string;
  readonly description: string;
  /** The template. */
  readonly parameters: string;
  readonly built_in: boolean;
};

export type InfoAnswer = {
  readonly stream: StreamAnswer;
  readonly transcode_runs: readonly RunAnswer[];
  readonly failover_history: readonly SwitchAnswer[];
  readonly clients: readonly ViewerAnswer[];
};

export type WebhookAnswer = {
  readonly url: string;
  readonly events: readonly string[];
  readonly timeout: number;
  readonly retry_attempts: number;
  readonly signed: boolean;
};

export type MatchAnswer = {
  readonly stream_id: string;
  readonly client_count: number;
  readonly stream_type: string;
  readonly metadata: Readonly<Record<string, string>>;
};

export type NetworkAnswer = {
  readonly network_id: string;
  readonly status: string;
  readonly current_segment_number: number;
  readonly started_at: string;
  readonly stream_url: string;
  readonly ffmpeg_pid: number | null;
  readonly bytes_written: number;
  readonly dvr_mode?: boolean;
  readonly hls_dir?: string | null;
  readonly error_message?: string | null;
};
