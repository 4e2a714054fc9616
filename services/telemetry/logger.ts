import type { Writable } from 'node:stream';
import winston from 'winston';
import { silentLogger } from '#kernel/logger';
import type { LogFields, Logger } from '#kernel/logger';
import { redactText } from '#kernel/redact-url';

export type LoggerOptions = {
  readonly level: string;
  /** On every line: which process speaks. */
  readonly role: string;
  /** Where lines go; standard error when absent, so that standard output stays free. */
  readonly to?: Writable;
};

/**
 * A logger that writes one JSON object per line, with every URL in it redacted. Lines below the
 * level cost nothing: players that poll are told of at `debug`, often.
 */
export function createLogger({ level, role, to = process.stderr }: LoggerOptions): Logger {
  const logger = winston.createLogger({
    level,
    defaultMeta: { role },
    format: winston.format.combine(winston.format.timestamp(), redaction(), winston.format.json()),
    transports: [new winston.transports.Stream({ stream: to })],
  });
  return withoutUnheard(logger);
}

/** Winston makes a line, redacts it and only then asks whether anybody wants it. */
function withoutUnheard(logger: winston.Logger): Logger {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') =>
    logger.isLevelEnabled(level)
      ? (message: string, fields?: LogFields) => void logger[level](message, fields)
      : silentLogger[level];
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => withoutUnheard(logger.child(fields)),
  };
}

const redaction = winston.format((info) => {
  for (const [key, value] of Object.entries(info)) info[key] = redacted(value);
  return info;
});

function redacted(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value);
  if (value instanceof Error) return errorFields(value);
  if (Array.isArray(value)) return value.map(redacted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redacted(inner)]));
}

const errorFields = (error: Error): Record<string, unknown> => ({
  name: error.name,
  message: redactText(error.message),
  ...('code' in error ? { code: error.code } : {}),
  stack: redactText(error.stack ?? ''),
  ...(error.cause === undefined ? {} : { cause: redacted(error.cause) }),
});
