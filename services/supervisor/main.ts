import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Config, ConfigError, loadConfig } from '#config';
import { runProcess, type RunningProcess } from '#lifecycle';
import { createLogger } from '#telemetry/logger';
import { announcement } from './announcement.ts';
import { ProcessError } from './launched.ts';
import { supervise } from './supervise.ts';

const scriptOf = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

loadEnvFile();
const config = configOrExit();
const logger = createLogger({ level: config.logLevel, role: 'supervisor' });

runProcess({ logger, graceMs: config.shutdownGraceMs, start });

async function start(): Promise<RunningProcess> {
  const { dataDir, redis, roles, shutdownGraceMs: graceMs } = config;
  const { facts, ...supervised } = await supervise({
    roles: roles === 'all' ? ['api', 'worker'] : [roles],
    scripts: { api: scriptOf('api/main.ts'), worker: scriptOf('workers/main.ts') },
    redisUrl: redis.url,
    redisProgram: redis.serverPath,
    dataDir,
    // One for each thread would be the usual: 10 MB of the api's, and no gain that can be measured.
    mallocArenas: process.env['MALLOC_ARENA_MAX'] ?? '1',
    compileCache: process.env['NODE_COMPILE_CACHE'] ?? join(dataDir, 'cache'),
    graceMs,
    logger,
  }).catch(sayAndRethrow);
  process.stdout.write(`${announcement({ dataDir, pid: process.pid, api: facts.api })}\n`);
  return { ready: facts, ...supervised };
}

/** Beside the log line that follows, which is for machines. */
function sayAndRethrow(error: unknown): never {
  if (error instanceof ProcessError) process.stderr.write(`${error.message}\n`);
  throw error;
}

/** `.env` of the working directory; what the environment sets already stays. */
function loadEnvFile(): void {
  try {
    process.loadEnvFile();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

function configOrExit(): Config {
  try {
    return loadConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return process.exit(1);
  }
}
