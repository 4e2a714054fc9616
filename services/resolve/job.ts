import type { ResolverPlan } from './plan.ts';
import type { ResolverName } from './resolver-name.ts';

/** What a worker is asked to do: ids and intent; what is secret, it fetches. */
export type ResolveJob<RunId extends string = string> = {
  readonly v: 1;
  readonly runId: RunId;
  /** Where the api process that asked is reached: `http://host:port`. */
  readonly apiUrl: string;
  readonly program: ResolverName;
};

/** The whole of it, as it is fetched through the internal door. Full of secrets. */
export type ResolveOrder = {
  readonly url: string;
  /** `User-Agent` and the stream's own. */
  readonly headers: Readonly<Record<string, string>>;
  readonly plan: ResolverPlan;
  /** The stream's own way out, as the API has it; `null`: the default one. */
  readonly egress: unknown;
};

/**
 * Why a resolver gave no media, or no more.
 * - `no_media`: nothing to play there, or not now. `format`: not in what was asked for.
 * - `login`, `country`: not for us. `refused`: the site keeps this machine out.
 * - `unsupported`: no such page is known. `unreachable`: the site does not answer.
 * - `media`: what came cannot be packed as a transport stream.
 * - `program_missing`, `cookies`, `egress`: it cannot be done on this machine.
 * - `ended`: live media ended. `crashed`, `killed`: the program did.
 */
export type ResolveFailure =
  | 'no_media'
  | 'format'
  | 'login'
  | 'country'
  | 'refused'
  | 'unsupported'
  | 'unreachable'
  | 'media'
  | 'program_missing'
  | 'cookies'
  | 'egress'
  | 'ended'
  | 'crashed'
  | 'killed';

/** What a worker tells when it is over; `null`: the film has been played. */
export type ResolveReport = { readonly ended: { readonly failure: ResolveFailure | null } };

/** Versions of the programs of one worker; `null` where there is none. */
export type ResolverPrograms = Readonly<Record<ResolverName, string | null>>;
