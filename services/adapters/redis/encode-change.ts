import { createHash } from 'node:crypto';
import type { DomainEvent, StopReason } from '#events';
import type { StateChange } from '#streams';
import type { ClientId, NodeEpoch, StreamId } from '#kernel/ids';
import type { NetworkId } from '#networks';

/** One change as the commit script takes it: kind, stream id, member, record, event, note. */
export type EncodedChange = readonly [string, string, string, string, string, string];

/** What is published when a record changes; `from` lets a process skip its own. */
export type ChangeNote =
  | { readonly kind: 'stream'; readonly id: StreamId; readonly from: string }
  | ViewerNote
  | { readonly kind: 'begun'; readonly digest: string }
  | PlaceNote
  | { readonly kind: 'network'; readonly id: NetworkId }
  | { readonly kind: 'endpoints' | 'stream-keys' | 'secret' };

/** A viewer is to be ended, wherever it is; `isRefused`: and not let in again for a moment. */
export type ViewerNote = {
  readonly kind: 'viewer';
  readonly id: StreamId;
  readonly clientId: ClientId;
  readonly isRefused: boolean;
  readonly from: string;
};

/** Somebody waits for a slot of this provider account. */
export type PlaceNote = {
  readonly kind: 'place';
  readonly digest: string;
  readonly from: string;
};

type ChangeOf<Kind extends StateChange['kind']> = Extract<StateChange, { kind: Kind }>;
type Encode<Kind extends StateChange['kind']> = (
  change: ChangeOf<Kind>,
  origin: string,
) => EncodedChange;

const ENCODERS: { readonly [Kind in StateChange['kind']]: Encode<Kind> } = {
  'stream-saved': ({ definition }, origin) => {
    const note = streamNote(definition.id, origin);
    return ['saved', definition.id, '', JSON.stringify(definition), '', note];
  },
  'stream-removed': ({ streamId }, origin) => {
    return ['removed', streamId, '', '', '', streamNote(streamId, origin)];
  },
  'stream-opened': ({ event }) => {
    return ['opened', event.streamId, '', openRecord(event), JSON.stringify(event), ''];
  },
  'stream-closed': ({ event }) => {
    return ['closed', event.streamId, closeGuard(event), '', JSON.stringify(event), ''];
  },
  'viewer-joined': ({ event, sessionId, node, polls }) => {
    const record = viewerRecord(event, { node, polls });
    return ['joined', event.streamId, sessionId, record, JSON.stringify(event), node];
  },
  'viewer-left': ({ event, sessionId }) => {
    return ['left', event.streamId, sessionId, '', JSON.stringify(event), ''];
  },
  moved: ({ event, node }) => {
    return ['moved', event.streamId, wayOf(event), '', JSON.stringify(event), node];
  },
  noted: ({ event }) => ['noted', event.streamId, '', '', JSON.stringify(event), ''],
};

/**
 * A change as fields of the commit script.
 *
 * @param origin - Names this process in the notes that others receive.
 */
export function encodeChange(change: StateChange, origin: string): EncodedChange {
  // TypeScript does not see that the table's row fits the change.
  const encode = ENCODERS[change.kind] as Encode<StateChange['kind']>;
  return encode(change, origin);
}

export const noteText = (note: ChangeNote): string => JSON.stringify(note);

const streamNote = (id: StreamId, from: string): string => noteText({ kind: 'stream', id, from });

const openRecord = ({ metadata, atMs }: DomainEvent): string =>
  JSON.stringify({ metadata, startedAtMs: atMs });

/** Tells a switch from others of its stream; empty for one that an app asked for, which is its own. */
function wayOf({ eventId, fact }: DomainEvent): string {
  if (fact.type !== 'failover_triggered' || fact.cause === 'manual') return eventId;
  const { oldUrl, newUrl, failoverIndex } = fact;
  return createHash('sha256')
    .update([oldUrl, newUrl, failoverIndex].join('\n'))
    .digest('base64url');
}

/** Why a stream stops because nobody watches: true only when no other process has a viewer. */
const UNWATCHED: readonly StopReason[] = ['last_client_disconnected', 'sources_failed'];

const closeGuard = ({ fact }: DomainEvent): string =>
  fact.type === 'stream_stopped' && UNWATCHED.includes(fact.reason) ? 'unwatched' : '';

function viewerRecord(
  event: DomainEvent,
  { node, polls }: { readonly node: NodeEpoch; readonly polls: boolean },
): string {
  const { streamId, metadata, atMs, fact } = event;
  const clientId = 'clientId' in fact ? fact.clientId : undefined;
  return JSON.stringify({ streamId, node, clientId, polls, metadata, joinedAtMs: atMs });
}
