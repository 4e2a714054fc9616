import { type Child, launch } from './child-process.ts';
import type { Launched, ReadyFacts } from './launched.ts';
import type { Descriptor } from './lifeline.ts';

export type NodeProcess = {
  readonly name: string;
  /** Options of Node.js itself. */
  readonly flags: readonly string[];
  /** Path of the `main.ts` to run. */
  readonly script: string;
  /** Added to our own environment. */
  readonly env: Readonly<Record<string, string>>;
  /** File descriptor that the child holds open for as long as it lives. */
  readonly lifeline: Descriptor | undefined;
};

/** Starts a `main.ts` that calls `runProcess`; it shares our output and notices when we are gone. */
export const launchNode = ({ name, flags, script, env, lifeline }: NodeProcess): Launched =>
  launch({
    name,
    file: process.execPath,
    args: [...flags, script],
    options: { env, ipc: true, stdio: ['ignore', 'inherit', 'inherit', lifeline ?? 'ignore'] },
    ready: toldReady,
  });

const toldReady = (child: Child): Promise<ReadyFacts> =>
  new Promise((resolve) => {
    child.nodeChildProcess.on('message', (message: unknown) => {
      if (isReady(message)) resolve(message);
    });
  });

const isReady = (message: unknown): message is ReadyFacts =>
  typeof message === 'object' && message !== null && 'kind' in message && message.kind === 'ready';
