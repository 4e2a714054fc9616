import { Queue } from 'bullmq';
import { expect, it } from 'vitest';
import { LastingQueue } from '#adapters/bullmq/lasting-queue';
import { queueOptions } from '#adapters/bullmq/naming';
import { silentLogger } from '#kernel/logger';
import { eventually } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';

it('a queue that was made while Redis was away takes jobs when it is back, each once', async () => {
  await using server = await startRedis();
  const redis = await server.connect();
  await server.kill();
  await eventually('the connection is lost', () => redis.status !== 'ready');
  const target = { redis, prefix: 'test' };
  const queue = new LastingQueue<string>({ ...target, name: 'work', logger: silentLogger });
  const once = { jobId: 'job-1' };
  await expect(queue.add('lost', once)).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
  await server.start();
  await eventually('the connection is back', () => redis.status === 'ready');
  await queue.add('kept', once);
  await queue.add('kept', once);
  const reader = new Queue('work', queueOptions({ ...target, redis: await server.connect() }));
  expect((await reader.getWaiting()).map(({ data }) => data as unknown)).toEqual(['kept']);
  await Promise.all([queue.close(), reader.close()]);
});
