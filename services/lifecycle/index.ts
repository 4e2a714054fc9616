export { runProcess } from './run-process.ts';
export type { ProcessOptions, RunningProcess } from './run-process.ts';
