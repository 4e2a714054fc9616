import { loadConfig } from '#config';
import { runProcess } from '#lifecycle';
import { createLogger } from '#telemetry';
import { composeApi } from './compose.ts';

const config = loadConfig(process.env);
const logger = createLogger({ level: config.logLevel, role: 'api' });

runProcess({ logger, graceMs: config.shutdownGraceMs, start: () => composeApi(config, logger) });
