import type { Command } from 'commander';
import { CommandFailure, EXIT } from '../failure.ts';
import type { WebhookAnswer } from '../service/answers.ts';
import { shellOf } from '../shown/shell.ts';
import { table } from '../shown/table.ts';
import { headerPair, toMap } from './pairs.ts';
import { wholeNumber } from './numbers.ts';

type AddOptions = {
  readonly event?: readonly string[];
  readonly header?: readonly string[];
  readonly secret?: string;
  readonly deliveryTimeout?: number;
  readonly retries?: number;
};

type Registered = { readonly webhook_url: string; readonly events: readonly string[] };
type Listed = { readonly webhooks: readonly WebhookAnswer[] };
type Told = { readonly message: string };
type Tested = Told & { readonly delivered: boolean; readonly status: number | null };

/** Where events go. */
export function webhookCommands(program: Command): void {
  const webhooks = program.command('webhooks').description('where events go');
  webhooks
    .command('list', { isDefault: true })
    .description('list all webhooks')
    .action(async (_options: object, command: Command) => {
      const shell = shellOf(command);
      shell.show(await shell.service.get<Listed>('/webhooks'), webhookTable);
    });
  addRegistration(webhooks);
  webhooks
    .command('remove')
    .description('send no more events there')
    .argument('<url>', 'as it was registered')
    .action(async (url: string, _options: object, command: Command) => {
      const shell = shellOf(command);
      const answer = await shell.service.delete<Told>('/webhooks', { body: { webhook_url: url } });
      shell.show(answer, ({ message }) => message);
    });
  addTest(webhooks);
}

function addRegistration(webhooks: Command): void {
  webhooks
    .command('add')
    .description('send events to an address, or change how')
    .argument('<url>', 'where')
    .option('--event <types...>', 'which; all if left out')
    .option('--header <header...>', "headers to send along, as 'Name: value'")
    .option('--secret <secret>', 'to sign with, as whsec_…; or PENSTOCK_WEBHOOK_SECRET')
    .option('--delivery-timeout <seconds>', 'patience with one attempt', wholeNumber)
    .option('--retries <n>', 'attempts after the first', wholeNumber)
    .action(async (url: string, options: AddOptions, command: Command) => {
      const shell = shellOf(command);
      const body = {
        url,
        events: options.event,
        headers: options.header && toMap(options.header, headerPair),
        timeout: options.deliveryTimeout,
        retry_attempts: options.retries,
        secret: options.secret ?? process.env['PENSTOCK_WEBHOOK_SECRET'],
      };
      const answer = await shell.service.post<Registered>('/webhooks', { body });
      shell.show(answer, ({ webhook_url, events }) => `${webhook_url}\n${events.join(' ')}`);
    });
}

function addTest(webhooks: Command): void {
  webhooks
    .command('test')
    .description('send a test event and wait for its answer')
    .argument('<url>', 'as it was registered')
    .action(async (url: string, _options: object, command: Command) => {
      const shell = shellOf(command);
      const answer = await shell.service.post<Tested>('/webhooks/test', {
        body: { webhook_url: url },
      });
      shell.show(answer, ({ message, status }) => `${message}, status ${status ?? 'none'}`);
      if (!answer.delivered) throw new CommandFailure('It did not arrive', EXIT.failed);
    });
}

const webhookTable = ({ webhooks }: Listed): string =>
  webhooks.length === 0
    ? 'No webhooks.'
    : table(
        ['URL', 'EVENTS', 'TIMEOUT', 'RETRIES', 'SIGNED'],
        webhooks.map(({ url, events, timeout, retry_attempts: retries, signed }) => [
          url,
          String(events.length),
          `${timeout} s`,
          String(retries),
          signed ? 'yes' : 'no',
        ]),
      );
