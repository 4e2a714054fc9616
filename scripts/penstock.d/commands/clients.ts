import type { Command } from 'commander';
import { CommandFailure, EXIT } from '../failure.ts';
import type { ViewerAnswer } from '../service/answers.ts';
import { shellOf } from '../shown/shell.ts';
import { viewerTable } from '../shown/streams.ts';

type Viewers = { readonly clients: readonly ViewerAnswer[] };
type Removal = { readonly message: string; readonly removed: boolean };

/** Who watches. */
export function clientCommands(program: Command): void {
  const clients = program.command('clients').description('who watches');
  clients
    .command('list', { isDefault: true })
    .description('list all viewers')
    .action(async (_options: object, command: Command) => {
      const shell = shellOf(command);
      shell.show(await shell.service.get<Viewers>('/clients'), (answer) =>
        viewerTable(answer.clients),
      );
    });
  clients
    .command('kick')
    .description('end what a viewer watches')
    .argument('<stream>', 'id of the stream')
    .argument('<client>', 'id of the viewer')
    .action(async function (this: Command) {
      const [stream = '', client = ''] = this.args;
      const shell = shellOf(this);
      const path = `/hls/${encodeURIComponent(stream)}/clients/${encodeURIComponent(client)}`;
      const answer = await shell.service.delete<Removal>(path);
      if (!answer.removed) throw new CommandFailure(answer.message, EXIT.notFound);
      shell.show(answer, ({ message }) => message);
    });
}
