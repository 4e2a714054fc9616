/** Programs that find the media of pages. */
export type ResolverName = 'streamlink' | 'ytdlp';
