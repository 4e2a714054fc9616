declare const brand: unique symbol;
/** What an app calls its network; part of a folder's name. */
export type NetworkId = string & { readonly [brand]: 'NetworkId' };

const NETWORK_ID = /^[A-Za-z0-9_-]{1,128}$/;

/** Undefined for what cannot be the id of a network. */
export const networkIdOf = (text: unknown): NetworkId | undefined =>
  typeof text === 'string' && NETWORK_ID.test(text) ? (text as NetworkId) : undefined;
