import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import type { StreamId } from '#kernel/ids';

declare const brand: unique symbol;
/** One life of one FFmpeg. */
export type RunId = string & { readonly [brand]: 'RunId' };

export const newRunId = (): RunId => randomUUID() as RunId;
export const asRunId = (text: string): RunId => text as RunId;

/**
 * What whoever works for a run shows at the internal door. Made from the secret that all processes
 * share, so that it lies in no queue.
 */
export const runToken = (secret: Buffer, id: RunId | StreamId): string =>
  createHmac('sha256', secret).update(`run:${id}`).digest('hex');

export const isRunToken = (secret: Buffer, id: RunId | StreamId, given: string): boolean =>
  timingSafeEqual(digest(runToken(secret, id)), digest(given));

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
