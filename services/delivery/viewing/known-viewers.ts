import { timingSafeEqual } from 'node:crypto';
import type { ClientId, StreamId } from '#kernel/ids';
import type { ViewerRequest } from '#streams';
import { Lru } from './lru.ts';

const MAX_VIEWERS = 8192;

type Known = { readonly viewer: ViewerRequest; readonly ended: AbortSignal };

/** Viewers who have been let in and have not left: who they said that they are. */
export class KnownViewers {
  readonly #viewers = new Lru<string, Known>(MAX_VIEWERS);

  /** @param ended - Aborts when the viewer's session ends, for whatever reason. */
  seen(
    streamId: StreamId,
    viewer: ViewerRequest & { clientId: ClientId },
    ended: AbortSignal,
  ): void {
    this.#viewers.set(keyOf(streamId, viewer.clientId), { viewer, ended });
  }

  find(streamId: StreamId, clientId: ClientId): ViewerRequest | undefined {
    const known = this.#viewers.get(keyOf(streamId, clientId));
    return known?.ended.aborted === false ? known.viewer : undefined;
  }
}

const keyOf = (streamId: StreamId, clientId: ClientId): string => `${streamId} ${clientId}`;

/** Whether a link is as we write it for this viewer: no other viewer's pass, and none made up. */
export function isLinkOf(
  { passFor }: ViewerRequest,
  { clientId, pass }: { readonly clientId: ClientId; readonly pass: string },
): boolean {
  const [given, own] = [Buffer.from(pass), Buffer.from(passFor?.(clientId) ?? '')];
  return given.length === own.length && timingSafeEqual(given, own);
}
