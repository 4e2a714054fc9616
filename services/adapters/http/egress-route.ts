import { type AppError, InvalidInputError, InvariantError } from '#kernel/app-error';
import { type AddressPolicy, type Egress, egressOf, knowWay, viaTemplate } from '#upstream';
import { asEgressFailure, egressFailed } from './egress-failure.ts';
import { forbiddenTarget, type GuardOptions, judgeFarHost } from './guarded-lookup.ts';

export type EgressOptions = GuardOptions & {
  /** Of requests whose headers name none; straight out when absent. */
  readonly egress?: Egress | undefined;
  /** Refuse headers that have lost their way on a detour through our code. */
  readonly isStrict?: boolean;
};

/** How one request goes out. */
export type Route = {
  readonly egress: Egress;
  /** What it may reach at the end. */
  readonly guard: GuardOptions;
  /** Where the proxy or the next hop may stand. */
  readonly proxyPolicy: AddressPolicy;
};

/** The way of a source; an operator's own proxy may stand in the own network, whatever sources may. */
export function routeOf(headers: Readonly<Record<string, string>>, options: EgressOptions): Route {
  if (options.isStrict && !knowWay(headers)) throw lostWay();
  const own = egressOf(headers);
  const { verifyTls, allowPrivate, meter } = options;
  return {
    egress: own ?? options.egress ?? { kind: 'direct' },
    guard: { verifyTls, allowPrivate, ...(meter && { meter }) },
    proxyPolicy: { allowPrivate: own === undefined || allowPrivate },
  };
}

const lostWay = (): InvariantError =>
  new InvariantError('A request of a source does not know its way out.');

/**
 * Where a request for this URL goes: to the next hop, where there is one.
 * @throws InvalidInputError `UPSTREAM_TARGET_FORBIDDEN` for a literal address that a next hop must
 *   not be led to, and a name of the hop's own; other names cannot be judged from here.
 */
export function urlVia({ egress, guard }: Route, url: string): string {
  if (egress.kind !== 'template') return url;
  const via = viaTemplate(egress.template, url);
  // The hop's own: its address is judged as the hop's is.
  if (via === url) return url;
  const { hostname, protocol } = new URL(url);
  if (judgeFarHost(hostname, guard) || !/^https?:$/.test(protocol)) throw forbiddenTarget();
  return via;
}

/** What the socket of a request may reach: the source, or the next hop. */
export const guardOf = ({ egress, guard, proxyPolicy }: Route): GuardOptions =>
  egress.kind === 'template' ? { ...guard, ...proxyPolicy } : guard;

/** Names the way in a key: connections of one are none of another. */
export const routeKey = ({ egress }: Route): string =>
  egress.kind === 'direct' && egress.localAddress === undefined ? '' : JSON.stringify(egress);

/** A failure to connect, told by whose it is: the egress', or the source's. */
export function failureVia({ egress }: Route, error: AppError): AppError {
  if (error instanceof InvalidInputError) return error;
  if (egress.kind === 'template') {
    // Once it is connected, the next hop says what the source does.
    return error.code === 'UPSTREAM_RESET' ? error : asEgressFailure(error);
  }
  if ('url' in egress && error.details['phase'] === 'connect') return asEgressFailure(error);
  const isOwnEnd = egress.localAddress !== undefined && OF_OUR_END.has(reasonOf(error));
  return isOwnEnd ? egressFailed('unreachable', error) : error;
}

/** The system's words for a local address that is not ours, or not of the target's kind. */
const OF_OUR_END: ReadonlySet<unknown> = new Set(['EADDRNOTAVAIL', 'EINVAL', 'EACCES', 'EPERM']);

const reasonOf = ({ details }: AppError): unknown => details['reason'];
