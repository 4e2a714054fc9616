export { cookiesFor, isCookiesText } from './cookies.ts';
export type {
  ResolveFailure,
  ResolveJob,
  ResolveOrder,
  ResolveReport,
  ResolverPrograms,
} from './job.ts';
export { resolverPlanOf } from './plan.ts';
export type { ResolverPlan } from './plan.ts';
export type { ResolverName } from './resolver-name.ts';
export { mediaOf } from './resolved-media.ts';
export type { ResolvedInput, ResolvedMedia } from './resolved-media.ts';
export { failureIn } from './refusals.ts';
