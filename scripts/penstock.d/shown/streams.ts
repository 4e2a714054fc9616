import { redactUrl } from '#kernel/redact-url';
import type {
  InfoAnswer,
  MediaAnswer,
  RunAnswer,
  StreamAnswer,
  SwitchAnswer,
  ViewerAnswer,
} from '../service/answers.ts';
import { facts, table } from './table.ts';
import { bytes } from './units.ts';

const NOTHING = '-';

/** Providers put passwords into their addresses, so tables name the server only. */
export const streamTable = (streams: readonly StreamAnswer[]): string =>
  streams.length === 0
    ? 'No streams.'
    : table(
        ['STREAM', 'TYPE', 'VIEWERS', 'SERVED', 'SOURCE', 'SWITCHES', 'STATE'],
        streams.map((stream) => [
          stream.stream_id,
          stream.stream_type,
          String(stream.client_count),
          bytes(stream.total_bytes_served),
          redactUrl(stream.current_url ?? stream.original_url),
          String(stream.failover_attempts),
          stateOf(stream),
        ]),
      );

/** One word for how it does. */
export function stateOf({ slate, is_active }: StreamAnswer): string {
  if (slate !== null) return 'slate';
  return is_active ? 'watched' : 'idle';
}

export function infoText(answer: InfoAnswer): string {
  const { stream, failover_history: history, transcode_runs: runs, clients } = answer;
  const parts = [facts(factsOf(stream))];
  if (runs.length > 0) parts.push(runTable(runs));
  if (history.length > 0) parts.push(switchTable(history));
  if (clients.length > 0) parts.push(viewerTable(clients));
  return parts.join('\n\n');
}

const factsOf = (stream: StreamAnswer): readonly (readonly [string, string])[] => [
  ['stream', stream.stream_id],
  ['type', stream.stream_type],
  ['state', stateOf(stream)],
  ['source', redactUrl(stream.current_url ?? stream.original_url)],
  ['backups', String(stream.failover_urls.length)],
  ['in use', stream.current_failover_index < 0 ? 'primary' : `${stream.current_failover_index}`],
  ['switches', String(stream.failover_attempts)],
  ['errors', String(stream.error_count)],
  ['viewers', String(stream.client_count)],
  ['served', bytes(stream.total_bytes_served)],
  ['media', mediaOf(stream.media_info)],
  ...madeOf(stream.output_media_info),
  ['created', stream.created_at],
  ...Object.entries(stream.metadata).map(([name, value]) => [`  ${name}`, value] as const),
];

function mediaOf(media: MediaAnswer): string {
  const { resolution, fps, video_codec, audio_codec, audio_channels } = media;
  const words = [video_codec, resolution, fps && `${fps} fps`, audio_codec, audio_channels];
  return words.filter(Boolean).join(' ') || NOTHING;
}

/** Of transcodes only. */
function madeOf(made: StreamAnswer['output_media_info']): readonly (readonly [string, string])[] {
  const media = mediaOf(made);
  if (media === NOTHING) return [];
  return [['made into', made.speed === undefined ? media : `${media}, speed ${made.speed}`]];
}

const runTable = (runs: readonly RunAnswer[]): string =>
  table(
    ['RUN SINCE', 'UNTIL', 'STATE', 'ON', 'WHY IT ENDED'],
    runs.map((run) => [
      run.started_at,
      run.ended_at ?? NOTHING,
      run.state,
      run.hardware ?? NOTHING,
      run.error_reason ?? NOTHING,
    ]),
  );

const switchTable = (history: readonly SwitchAnswer[]): string =>
  table(
    ['SWITCHED AT', 'FROM', 'TO', 'GAP', 'WHY'],
    history.map((change) => [
      change.at,
      String(change.from_index),
      String(change.to_index),
      change.gap_ms === null ? NOTHING : `${Math.round(change.gap_ms)} ms`,
      change.reason,
    ]),
  );

export const viewerTable = (viewers: readonly ViewerAnswer[]): string =>
  viewers.length === 0
    ? 'Nobody watches.'
    : table(
        ['CLIENT', 'STREAM', 'ADDRESS', 'USER', 'TAKEN', 'SINCE', 'PLAYER'],
        viewers.map((viewer) => [
          viewer.client_id,
          viewer.stream_id,
          viewer.ip_address,
          viewer.username ?? NOTHING,
          bytes(viewer.bytes_served),
          viewer.created_at,
          viewer.user_agent,
        ]),
      );
