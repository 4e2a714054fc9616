import { describe, expect, it } from 'vitest';
import { silentLogger } from '#kernel/logger';
import { newRunId, planOf } from '#transcode';
import type { RunJob } from '#transcode';
import { BullJobRunner } from '../../services/adapters/bullmq/job-runner.ts';
import { RUN_QUEUE } from '../../services/adapters/bullmq/naming.ts';
import { BullRunQueue } from '../../services/adapters/bullmq/run-queue.ts';
import { eventually } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';
import type { TestRedis } from '../support/redis.ts';

const prefix = 'test';
const plan = planOf({ profile: 'default', variables: {}, format: 'mpegts', isTrusted: false });
const job = (): RunJob => ({
  v: 1,
  runId: newRunId(),
  apiUrl: 'http://127.0.0.1:9',
  plan,
  isPaced: false,
  softwareOnly: false,
});

async function runner(redis: TestRedis, run: (job: RunJob) => Promise<'over' | 'declined'>) {
  const connection = await redis.connect('queue');
  const shared = { prefix, logger: silentLogger, name: RUN_QUEUE };
  return new BullJobRunner<RunJob>({ ...shared, redis: connection, slots: 4, run });
}

describe('a queue of runs', () => {
  it('offers what one worker declines until another takes it, and leaves no key', async () => {
    await using redis = await startRedis();
    const commands = await redis.connect();
    const queue = new BullRunQueue({
      redis: await redis.connect('queue'),
      prefix,
      logger: silentLogger,
    });
    let declined = 0;
    const taken: string[] = [];
    const full = await runner(redis, async () => {
      declined += 1;
      return 'declined';
    });
    const [one, other] = [job(), job()];
    await queue.ask(one);
    await eventually('it has been declined again', () => declined > 1);
    const free = await runner(redis, async ({ runId }) => {
      taken.push(runId);
      return 'over';
    });
    await eventually('another has taken it', () => taken.length === 1);
    await free.close();
    await queue.ask(other);
    await eventually('that is declined', () => declined > 3);
    await full.close(); // A job that is just being declined is locked.
    await queue.cancel(other.runId);
    await queue.close();
    expect(taken).toEqual([one.runId]);
    const left = await commands.keys(`${prefix}:jobs:transcode:*`);
    expect(left.filter((key) => key.includes(one.runId) || key.includes(other.runId))).toEqual([]);
    expect(await commands.zcard(`${prefix}:jobs:transcode:delayed`)).toBe(0);
  });
});
