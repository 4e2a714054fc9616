import { execa } from 'execa';
import { ProcessError } from './launched.ts';

const CANDIDATES = ['redis-server', 'valkey-server'] as const;
/** BullMQ asks for this one or newer. */
const OLDEST = { major: 6, minor: 2 };

const HOW_TO_GET_ONE =
  'Install it with: apt-get install redis-server. Or set REDIS_URL to a Redis that you run.';

/**
 * Finds the program for the embedded Redis.
 *
 * @param configured - `REDIS_SERVER_PATH`; only this one is looked at then.
 * @throws ProcessError that says what to install.
 */
export async function findRedisProgram(configured: string | undefined): Promise<string> {
  const candidates = configured === undefined ? CANDIDATES : [configured];
  const found: string[] = [];
  for (const candidate of candidates) {
    const version = await versionOf(candidate);
    if (version !== undefined && isRecent(version)) return candidate;
    if (version !== undefined) found.push(`${candidate} ${version}`);
  }
  const what = found.length > 0 ? `found only ${found.join(', ')}` : 'found none';
  throw new ProcessError(
    `The embedded Redis needs ${candidates.join(' or ')} ${OLDEST.major}.${OLDEST.minor} or newer; ${what}. ${HOW_TO_GET_ONE}`,
  );
}

async function versionOf(program: string): Promise<string | undefined> {
  const { stdout } = await execa(program, ['--version'], { reject: false, timeout: 5_000 });
  return parseVersion(stdout ?? '');
}

/** `7.0.15` of `Redis server v=7.0.15 sha=…`; valkey words it alike. */
export const parseVersion = (text: string): string | undefined =>
  /\bv=(\d+\.\d+\.\d+)/.exec(text)?.[1];

export function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor);
}
