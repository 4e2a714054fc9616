import { fileURLToPath } from 'node:url';
import { loadConfig } from '#config';
import { runProcess } from '#lifecycle';
import { createLogger } from '#telemetry';
import { supervise } from '../../../services/supervisor/supervise.ts';

/** The supervisor's entry with two small children in place of api and worker. */
const config = loadConfig(process.env);
const logger = createLogger({ level: 'info', role: 'supervisor' });
const child = fileURLToPath(new URL('child.ts', import.meta.url));

runProcess({
  logger,
  graceMs: config.shutdownGraceMs,
  start: async () => {
    const { facts, ...supervised } = await supervise({
      roles: config.roles === 'all' ? ['api', 'worker'] : [config.roles],
      scripts: { api: child, worker: child },
      redisUrl: config.redis.url,
      redisProgram: config.redis.serverPath,
      dataDir: config.dataDir,
      mallocArenas: '1',
      compileCache: `${config.dataDir}/cache`,
      graceMs: config.shutdownGraceMs,
      logger,
    });
    process.stdout.write(`${JSON.stringify({ ready: facts })}\n`);
    return { ready: facts, ...supervised };
  },
});
