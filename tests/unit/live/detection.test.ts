import { describe, expect, it } from 'vitest';
import { detectionOf } from '../../../services/delivery/live/detection.ts';
import { settings } from '../../support/source-story.ts';
import { startRegistry, streamInput } from '../../support/stream-bench.ts';

const NONE = streamInput('http://x').options;

async function silenceOf(own: Partial<typeof NONE>) {
  const { registry } = await startRegistry();
  const options = { ...NONE, ...own };
  const { snapshot } = await registry.create(streamInput('http://h/a.ts', { options }));
  const stream = await registry.open(snapshot.definition.id);
  const { silence, hasOther } = detectionOf(stream, { settings: settings() });
  registry.close();
  return { silence, hasOther: hasOther() };
}

describe('how a stream is listened to', () => {
  it('is as configured where its app says nothing', async () => {
    expect(await silenceOf({})).toEqual({ silence: settings().silence, hasOther: false });
  });

  it('is as its app says', async () => {
    const { silence } = await silenceOf({
      enableSilenceDetection: true,
      silenceThresholdDb: -40,
      silenceDurationSeconds: 2,
      silenceCheckIntervalSeconds: 5,
      silenceFailoverThreshold: 2,
      silenceMonitoringGraceSeconds: 0,
    });
    expect(silence).toEqual({
      isOn: true,
      thresholdDb: -40,
      durationMs: 2000,
      intervalMs: 5000,
      failoverThreshold: 2,
      graceMs: 0,
    });
  });

  it('is as configured where what its app says makes no sense', async () => {
    const { silence } = await silenceOf({
      silenceThresholdDb: 20,
      silenceDurationSeconds: -1,
      silenceCheckIntervalSeconds: 0,
      silenceFailoverThreshold: 0,
      silenceMonitoringGraceSeconds: -3,
    });
    expect(silence).toEqual(settings().silence);
  });
});
