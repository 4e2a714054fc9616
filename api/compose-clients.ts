import { ConfigError } from '#config';
import type { Config } from '#config';
import { closeAll } from '#kernel/closing';
import { egressFrom, hostLimitsFrom, limitedClient, limitedTexts } from '#upstream';
import type { ConnectionLedger, UpstreamClient } from '#upstream';
import { limitedProbe } from './limited-probe.ts';
import { AxiosFailoverResolver } from '#adapters/http/failover-resolver';
import { AxiosProbe } from '#adapters/http/probe';
import { ReadBuffers } from '#adapters/http/raw/read-buffers';
import { ReadMeter } from '#adapters/http/read-meter';
import { createTextClient } from '#adapters/http/text-client';
import { createUpstreamClient } from '#adapters/http/upstream-client';
import { AxiosWebhookClient } from '#adapters/http/webhook-client';

/** Everything that speaks to sources and apps. Whatever goes to a source takes a place there. */
export function openClients(config: Config, allowance: ConnectionLedger) {
  const { upstream, egress: way } = config;
  const { allowPrivate, verifyTls, maxRedirects } = upstream;
  const egress = egressFrom(way.url, way.localAddress);
  if (way.url !== '' && egress === undefined) throw wrongEgress();
  // Apps live beside us: the setting about private addresses is for sources.
  const callbacks = { allowPrivate: true, verifyTls };
  const resolver = new AxiosFailoverResolver(callbacks);
  const plainProbe = new AxiosProbe({ ...callbacks, egress });
  const hostLimits = hostLimitsOf(config.providerConnections);
  const probe = limitedProbe({ probe: plainProbe, allowance, hostLimits });
  const webhooks = new AxiosWebhookClient(callbacks);
  const sources = { allowPrivate, verifyTls, maxRedirects, egress, isStrict: true };
  const meters = { live: new ReadMeter(), hls: new ReadMeter(), vod: new ReadMeter() };
  const buffers = new ReadBuffers();
  const plain = {
    live: createUpstreamClient({ ...sources, buffers, meter: meters.live }),
    hls: createUpstreamClient({ ...sources, buffers, meter: meters.hls }),
    vod: createUpstreamClient({ ...sources, buffers, meter: meters.vod }),
  };
  const plainTexts = createTextClient({ ...sources, meter: meters.hls });
  const bytes: Record<keyof typeof plain, UpstreamClient> = {
    live: limitedClient(plain.live, { allowance, use: 'live' }),
    hls: limitedClient(plain.hls, { allowance, use: 'segment' }),
    vod: limitedClient(plain.vod, { allowance, use: 'file' }),
  };
  const texts = limitedTexts(plainTexts, allowance);
  const readBytes = () => ({
    live: meters.live.bytes,
    hls: meters.hls.bytes,
    vod: meters.vod.bytes,
  });
  const all = [resolver, plainProbe, webhooks, ...Object.values(plain), plainTexts];
  const close = (): Promise<void> => closeAll(all.map((client) => () => client.close()));
  return { resolver, probe, webhooks, bytes, texts, allowance, readBytes, close };
}

/** What the setting says of each host. */
export function hostLimitsOf(text: string): ReadonlyMap<string, number> {
  const limits = hostLimitsFrom(text);
  if (limits) return limits;
  throw new ConfigError(['PROVIDER_CONNECTIONS must be host=number, separated by commas']);
}

/** Its value is a secret. */
const wrongEgress = (): ConfigError =>
  new ConfigError(['EGRESS_URL must be the URL of a proxy, without a path, or of a template']);
