import { hash, randomUUID } from 'node:crypto';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** 32 lower-case hex digits, derived from the URL that was posted. */
export type StreamId = Branded<'StreamId'>;
/** What players and apps call a viewer: given as `client_id`, or derived from the request. */
export type ClientId = Branded<'ClientId'>;
/** One viewer's use of one stream, from first request to last. */
export type SessionId = Branded<'SessionId'>;
/** Names one fact for ever; receivers de-duplicate by it. */
export type EventId = Branded<'EventId'>;
/** One life of one api process. */
export type NodeEpoch = Branded<'NodeEpoch'>;
/** A webhook endpoint, derived from its URL. */
export type EndpointId = Branded<'EndpointId'>;

const md5 = (text: string): string => hash('md5', text);

/** The id of a plain stream: MD5 of the URL exactly as posted (m3u-proxy contract 4.1). */
export const streamIdOf = (url: string): StreamId => md5(url) as StreamId;

export type ViewerTraits = {
  readonly streamId: StreamId;
  readonly ip: string;
  readonly userAgent: string;
  readonly username: string | undefined;
};

/** The id of a viewer that gave none (m3u-proxy contract 4.4). */
export const autoClientId = ({ ip, userAgent, streamId, username }: ViewerTraits): ClientId =>
  `client_${md5(`${ip}-${userAgent}-${streamId}-${username ?? ''}`).slice(0, 16)}` as ClientId;

/** The id of a second device that shares every trait with one already watching. */
export const siblingClientId = (id: ClientId): ClientId =>
  `${id}_${randomUUID().replaceAll('-', '').slice(0, 8)}` as ClientId;

export const newSessionId = (): SessionId => randomUUID() as SessionId;
export const newEventId = (): EventId => randomUUID() as EventId;
export const newNodeEpoch = (): NodeEpoch => randomUUID() as NodeEpoch;

export const endpointIdOf = (url: string): EndpointId =>
  hash('sha256', url).slice(0, 24) as EndpointId;

/** Takes an id at the edge, where its shape has been checked. */
export const asStreamId = (text: string): StreamId => text as StreamId;
export const asClientId = (text: string): ClientId => text as ClientId;
export const asEventId = (text: string): EventId => text as EventId;
