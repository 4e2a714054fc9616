import type { IncomingMessage } from 'node:http';

/** What another api process says of the viewer whose request it has passed on. */
export type PassedOn = {
  readonly ipAddress: string;
  /** The folder that links stand in, as the player knows it. */
  readonly here: string;
};

const passedOn = new WeakMap<IncomingMessage, PassedOn>();

/** Only for requests that have proved to come from a process of this installation. */
export const markPassedOn = (req: IncomingMessage, viewer: PassedOn): void =>
  void passedOn.set(req, viewer);

/** Nothing for a request that came from the viewer itself. */
export const passedOnBy = (req: IncomingMessage): PassedOn | undefined => passedOn.get(req);
