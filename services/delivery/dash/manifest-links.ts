/** A link of ours in a manifest, to be written for each viewer. */
export type ManifestLink = {
  /** Of `folder`: whatever a player appends to the link is fetched from there. */
  readonly kind: 'folder' | 'file';
  /** Absolute upstream URL. */
  readonly url: string;
  /** What follows the link of a folder, as it stands in the manifest. */
  readonly rest: string;
};

/** A `BaseURL` with the name of its file left visible: it is a folder and a file at once. */
export function baseLink(url: string): ManifestLink {
  return { kind: 'folder', url, rest: lastNameOf(url) };
}

/** The folder alone: for what is relative to a manifest. */
export const folderLink = (url: string): ManifestLink => ({
  kind: 'folder',
  url: new URL('.', url).href,
  rest: '',
});

/** One resource; nothing where a player finds it below our `BaseURL` as it is written. */
export function fileLink(written: string, base: string): ManifestLink | undefined {
  const reference = written.trim();
  if (staysBelow(reference)) return undefined;
  const url = resolved(reference, base);
  return url === undefined ? undefined : { kind: 'file', url, rest: '' };
}

/**
 * A template that leads elsewhere than below its `BaseURL`: the folder in front of its first
 * placeholder becomes a link; what follows stays as it is, for the player to fill in.
 */
export function templateLink(written: string, base: string): ManifestLink | undefined {
  const template = written.trim();
  if (staysBelow(template)) return undefined;
  const literal = /^[^$?#]*/.exec(template)?.[0] ?? '';
  const cut = literal.lastIndexOf('/') + 1;
  const url = resolved(template.slice(0, cut), base);
  return url === undefined ? undefined : { kind: 'folder', url, rest: template.slice(cut) };
}

/** Absolute, http or https, without a fragment. */
export function resolved(reference: string, base: string): string | undefined {
  const url = URL.parse(reference, base);
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  url.hash = '';
  return url.href;
}

/** Players resolve it against our link as they would against the source's. */
const staysBelow = (reference: string): boolean =>
  !/^(?:[a-z][a-z\d+.-]*:|[/\\])/i.test(reference) && !/(?:^|[/\\])\.\.(?:[/\\]|$)/.test(reference);

export const lastNameOf = (url: string): string => {
  const { pathname } = new URL(url);
  return pathname.slice(pathname.lastIndexOf('/') + 1);
};

/**
 * What a player asks for below a folder's link.
 * @param path - As it came, still encoded, with its query.
 * @returns nothing for what would lead out of the folder.
 */
export function below(folder: string, path: string): string | undefined {
  const [name = ''] = path.split('?', 1);
  // The file that a `BaseURL` named, with a query that players need not see.
  if (name === lastNameOf(folder) && !path.includes('?')) return folder;
  if (escapes(name)) return undefined;
  const within = new URL('.', folder).href;
  const url = URL.parse(`./${path}`, within)?.href;
  return url?.startsWith(within) === true ? url : undefined;
}

/** Looked at once more decoded: the source's server may do so, too. */
function escapes(path: string): boolean {
  const decoded = decodedOf(path);
  return (
    decoded === undefined || /[\\\p{Cc}]/u.test(decoded) || /(?:^|\/)\.\.?(?:\/|$)/.test(decoded)
  );
}

function decodedOf(path: string): string | undefined {
  try {
    return decodeURIComponent(path).replaceAll(/%2e/gi, '.').replaceAll(/%2f/gi, '/');
  } catch {
    return undefined;
  }
}
