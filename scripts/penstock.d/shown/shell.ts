import type { Command } from 'commander';
import { connectionOf, type ConnectionOptions } from '../service/connection.ts';
import { Service } from '../service/service.ts';

type GlobalOptions = ConnectionOptions & { readonly json?: boolean };

/** What every command needs: the service, and a place to say what came of it. */
export type Shell = {
  readonly service: Service;
  readonly isJson: boolean;
  /** The answer itself with `--json`, else the text made of it. */
  show<T>(answer: T, toText: (answer: T) => string): void;
};

/** @throws CommandFailure when the options make no sense. */
export function shellOf(command: Command): Shell {
  const options = command.optsWithGlobals<GlobalOptions>();
  const isJson = options.json ?? false;
  return {
    service: new Service(connectionOf(options)),
    isJson,
    show: (answer, toText) =>
      console.log(isJson ? JSON.stringify(answer, undefined, 2) : toText(answer)),
  };
}
