export { SessionRegistry } from './session-registry.ts';
export type { SessionEvents, SessionRequest } from './session-registry.ts';
export type { Session, ViewerTraits } from './session.ts';
