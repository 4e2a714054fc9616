import { currentNumber, finalNumber } from '#networks';
import type { Network } from '#networks';
import { isoTime } from './iso-time.ts';

const presentCommon = (network: Network) => ({
  network_id: network.id,
  status: network.state,
  current_segment_number: currentNumber(network),
  started_at: isoTime(network.startedAtMs),
  stream_url: network.programme.streamUrl,
  ffmpeg_pid: network.pid,
  bytes_written: network.bytesWritten,
});

export const presentNetwork = (network: Network) => ({
  ...presentCommon(network),
  hls_dir: network.folder,
  error_message: network.error,
});

export const presentNetworks = (networks: readonly Network[]) => ({
  broadcasts: networks.map((network) => ({
    ...presentCommon(network),
    metadata: network.metadata,
    dvr_mode: network.isDvr,
  })),
  count: networks.length,
});

export const presentStopped = (network: Network) => ({
  message: 'Broadcast stopped',
  network_id: network.id,
  final_segment_number: finalNumber(network),
  status: network.state,
});
