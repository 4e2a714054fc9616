export { AccessControl } from './access-control.ts';
export type { LinkWish, MintedLink } from './access-control.ts';
export type { Grant } from './grant.ts';
export type { BegunStore, SecretStore, StreamKey, StreamKeyStore } from './ports.ts';
export { secretsOf } from './secret-ring.ts';
export type { LinkQuery } from './signed-links.ts';
export { keyRecord } from './stream-keys.ts';
export type { MadeKey, StreamKeys } from './stream-keys.ts';
export type { AccessMode, Admission, Credentials, ViewerGate } from './viewer-gate.ts';
