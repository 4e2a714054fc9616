import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Config, ConfigError, loadConfig } from '#config';
import { runProcess } from '#lifecycle';
import { createLogger } from '#telemetry';
import { announcement } from './announcement.ts';
import { supervise } from './supervise.ts';

const scriptOf = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

loadEnvFile();
const config = configOrExit();
const logger = createLogger({ level: config.logLevel, role: 'supervisor' });

runProcess({
  logger,
  graceMs: config.shutdownGraceMs,
  start: async () => {
    const { facts, ...supervised } = await supervise({
      roles: config.roles === 'all' ? ['api', 'worker'] : [config.roles],
      scripts: { api: scriptOf('api/main.ts'), worker: scriptOf('workers/main.ts') },
      redisUrl: config.redis.url,
      redisProgram: config.redis.serverPath,
      dataDir: config.dataDir,
      compileCache: process.env['NODE_COMPILE_CACHE'] ?? join(config.dataDir, 'cache'),
      graceMs: config.shutdownGraceMs,
      logger,
    });
    const line = announcement({ dataDir: config.dataDir, pid: process.pid, api: facts.api });
    process.stdout.write(`${line}\n`);
    return { ready: facts, ...supervised };
  },
});

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
