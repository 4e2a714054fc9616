export { judgeAddress } from './address-policy.ts';
export type { AddressPolicy } from './address-policy.ts';
export {
  credential,
  defaultResolve,
  egressFrom,
  isNamedByProxy,
  isLocalAddress,
  isProxyUrl,
  isTemplate,
  viaTemplate,
} from './egress.ts';
export type { Egress, ProxyEgress } from './egress.ts';
export {
  egressOf,
  headersBeyond,
  headersVia,
  headersWithin,
  headersWithout,
  knowWay,
  limitOf,
} from './source-headers.ts';
export type { ProviderLimit } from './source-headers.ts';
export { accountOf, hostLimitOf, hostLimitsFrom } from './provider-account.ts';
export { failureFacts, restMsOf, retryAfterMs } from './retry-after.ts';
export { failureClassOf, isAtCapacity, statusOf } from './failure-class.ts';
export type { FailureClass } from './failure-class.ts';
export { failoverReason, wireNameOf } from './failover-reason.ts';
export type { FailoverStage } from './failover-reason.ts';
export type * from './ports.ts';
export { decide, endless, pauseMs } from './retry-policy.ts';
export type { Decision, Outage as OutageFacts, RetryPolicy } from './retry-policy.ts';
export { chooseNext, chooseNow, isReturnDue } from './ring.ts';
export type { RingChoice, RingPlace } from './ring.ts';
export { GOOD_SPELL_MS, HEALTHY, isReady, stepHealth } from './source-health.ts';
export type { HealthEvent, SourceHealth } from './source-health.ts';
export { SLATE_TRIGGERS, slateTriggerOf, slatesFor } from './slate-trigger.ts';
export type { SlateTrigger } from './slate-trigger.ts';
export { isSourceUrl } from './source-url.ts';
export { anySpare } from './spare-permits.ts';
export type { SparePermit, SparePermits, SparePurpose, UsedConnection } from './spare-permits.ts';
export { SpareLedger } from './spare-ledger.ts';
export { anyConnection } from './connection-allowance.ts';
export type {
  ConnectionAllowance,
  ConnectionPermit,
  ConnectionRequest,
  SparePlace,
} from './connection-allowance.ts';
export { ConnectionLedger } from './connection-ledger.ts';
export { CONNECTION_USES } from './connection-use.ts';
export type { ConnectionUse } from './connection-use.ts';
export type { AccountUse } from './account-use.ts';
export { limitedClient } from './limited-client.ts';
export { limitedTexts } from './limited-texts.ts';
export type { SlotAsk, SlotHolder, SlotLease, SlotLeases } from './slot-leases.ts';
export { TakenPlace } from './taken-place.ts';
