import { streamIdOf } from '#kernel/ids';
import type { StreamId } from '#kernel/ids';
import type { StreamDefinition, StreamInput } from './definition.ts';

/**
 * The id of a stream (m3u-proxy contract 4.1): the hash of its URL, of a transcode also of its
 * profile and delivery, of a page of the program and its arguments. Templates all share a profile name: one that comes when its id is taken by
 * another gets an id of its own, so that neither is served as the other.
 */
export function idFor(
  { url, transcode, resolver }: StreamInput,
  find: (id: StreamId) => StreamDefinition | undefined,
): StreamId {
  if (resolver !== undefined) {
    return streamIdOf(`${url}|resolver|${resolver.program}|${resolver.args}`);
  }
  if (transcode === undefined) return streamIdOf(url);
  const delivery = transcode.output.delivery === 'hls' ? 'hls' : 'direct';
  const key = `${url}|transcoded|${transcode.profile}|${delivery}`;
  const id = streamIdOf(key);
  const taken = find(id)?.transcode;
  const recipe = JSON.stringify([transcode.input, transcode.args, transcode.output.container]);
  if (taken === undefined) return id;
  const known = JSON.stringify([taken.input, taken.args, taken.output.container]);
  return known === recipe ? id : streamIdOf(`${key}|${recipe}`);
}
