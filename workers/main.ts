import { loadConfig } from '#config';
import { runProcess } from '#lifecycle';
import { createLogger } from '#telemetry';
import { composeWorker } from './compose.ts';

const config = loadConfig(process.env);
const logger = createLogger({ level: config.logLevel, role: 'worker' });

runProcess({ logger, graceMs: config.shutdownGraceMs, start: () => composeWorker(config, logger) });
