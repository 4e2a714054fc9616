import type { Fact } from '#events';

type NoteOf<Kind extends Fact> = Kind extends Fact ? Omit<Kind, 'clientCount'> : never;

/** What is told of a stream as it was seen; how many watch is added. */
export type Note = NoteOf<
  Extract<Fact, { type: 'slate_started' | 'slate_ended' | 'transcode_fallback' }>
>;
