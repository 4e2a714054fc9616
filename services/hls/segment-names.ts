import { linesOf } from './lines.ts';
import { isUriLine } from './playlist-window.ts';

/**
 * What the segments of a media playlist are called, in order: the last part of each path, without
 * the query, since hosts, folders and queries of one segment may change from poll to poll.
 */
export function segmentNamesOf(text: string): readonly string[] {
  const names: string[] = [];
  for (const { start, end } of linesOf(text)) {
    const line = text.slice(start, end);
    if (isUriLine(line)) names.push(segmentNameIn(line.trim()));
  }
  return names;
}

/** What one of them is called. */
export function segmentNameIn(uri: string): string {
  const path = uri.replace(/[?#].*$/, '');
  return path.slice(path.lastIndexOf('/') + 1);
}
