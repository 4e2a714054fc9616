import type { AccountsOptions } from '../provider/accounts.ts';
import type { Clip } from '../clips/clip-store.ts';
import type { Step } from './action.ts';
import type { ClipFields, SourceFields } from './schema.ts';

/** A scenario that has been checked: every name in it is known, all units are ours. */
export type Scenario = {
  readonly address: string;
  readonly port: number;
  readonly tls: boolean;
  /** From when the timeline counts. */
  readonly clock: 'start' | 'first-request';
  /** The timeline begins anew so often. */
  readonly repeatMs: number | undefined;
  readonly clips: Readonly<Record<string, Clip>>;
  readonly sources: Readonly<Record<string, SourceFields>>;
  readonly accounts: AccountsOptions | undefined;
  /** By time. */
  readonly timeline: readonly Step[];
};

/** What the schema leaves behind. */
export type ScenarioFields = {
  readonly address: string;
  readonly port: number;
  readonly tls: boolean;
  readonly clock: Scenario['clock'];
  readonly repeat?: number;
  readonly clips: Readonly<Record<string, ClipFields | { readonly file: string }>>;
  readonly sources: Scenario['sources'];
  readonly accounts?: AccountFields;
  readonly timeline: readonly { readonly at: Step }[];
};

type AccountFields = {
  readonly from: string;
  readonly strangers: number | 'serve';
  readonly members: Readonly<
    Record<
      string,
      {
        readonly connections: number;
        readonly answer: number | 'kill-oldest';
        readonly release: number;
      }
    >
  >;
};

/** The scenario that these fields mean; a source may name a clip that is not described. */
export function toScenario(fields: ScenarioFields): Scenario {
  return {
    ...fields,
    repeatMs: fields.repeat,
    clips: Object.fromEntries(
      Object.entries(fields.clips).map(([name, clip]) => [name, toClip(clip)]),
    ),
    accounts: fields.accounts && toAccounts(fields.accounts),
    timeline: fields.timeline.map(({ at }) => at).toSorted((a, b) => a.atMs - b.atMs),
  };
}

function toClip(clip: ClipFields | { readonly file: string }): Clip {
  if ('file' in clip) return clip;
  const { tone, bitrate, constant, ...same } = clip;
  return { ...same, toneHz: tone, videoBytesPerSecond: bitrate, constantBytesPerSecond: constant };
}

const toAccounts = ({ from, strangers, members }: AccountFields): AccountsOptions => ({
  naming: from.startsWith('?') ? { query: from.slice(1) } : { path: from },
  strangers: strangers === 'serve' ? undefined : strangers,
  members: Object.fromEntries(
    Object.entries(members).map(([name, { release, ...member }]) => [
      name,
      { ...member, releaseMs: release },
    ]),
  ),
});
