export { ApiMetrics } from './api-metrics.ts';
export type { ApiReadings } from './api-metrics.ts';
export { createLogger } from './logger.ts';
export type { LoggerOptions } from './logger.ts';
export { WorkerMetrics } from './worker-metrics.ts';
