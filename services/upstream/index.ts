export { judgeAddress } from './address-policy.ts';
export type { AddressPolicy } from './address-policy.ts';
export { failureClassOf, statusOf } from './failure-class.ts';
export { failoverReason, wireNameOf } from './failover-reason.ts';
export type { FailoverStage } from './failover-reason.ts';
export type * from './ports.ts';
export { decide } from './retry-policy.ts';
export type { RetryPolicy } from './retry-policy.ts';
export { isSourceUrl } from './source-url.ts';
