/** What every delivery by playlists or manifests needs for its viewers, and to remember within a bound. For rooms of `delivery` only. */
export { HERE, PATHWAY_PARAM, childUrl, urlEnd, viewerSuffix } from './child-urls.ts';
export { KnownViewers, isLinkOf } from './known-viewers.ts';
export { Lru } from './lru.ts';
export { OpenedHandles } from './opened-handles.ts';
export { VIEWER_PATIENCE_MS, startPatience } from './patience.ts';
export { Presence } from './presence.ts';
export { sendBytes } from './send-bytes.ts';
export { SharedLoads } from './shared-loads.ts';
export { sourceTagOf, tagOfUrl } from './source-tag.ts';
export { viewingFailure } from './viewing-failure.ts';
export { withQuery } from './with-query.ts';
