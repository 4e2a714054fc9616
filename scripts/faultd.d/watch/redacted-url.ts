/** Without what may be a credential: user, query, and all of the path but its last name. */
export function redactedUrl(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  const name = pathname.split('/').at(-1) ?? '';
  return `${protocol}//${host}/${pathname.lastIndexOf('/') > 0 ? '…/' : ''}${name}`;
}
