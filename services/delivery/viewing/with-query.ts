/** @param query - Without a question mark; appended as it is, so that signed URLs stay signed. */
export function withQuery(url: string, query: string): string {
  if (query === '') return url;
  return `${url}${url.includes('?') ? '&' : '?'}${query}`;
}
