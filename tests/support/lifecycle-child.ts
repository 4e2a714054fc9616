import { runProcess } from '#lifecycle';
import { createLogger } from '#telemetry';

/** A process whose life goes as its first argument says. */
const [, , life = 'well'] = process.argv;

const START = {
  well: async () => {},
  'start-fails': async () => {
    throw new Error('cannot reach http://user:s3cret@host/');
  },
  'start-hangs': () => {
    process.stdout.write('starting\n');
    return new Promise<void>(() => {});
  },
  throws: async () => {
    setImmediate(() => {
      throw new Error('nobody catches this');
    });
  },
  rejects: async () => {
    setImmediate(() => void Promise.reject(new Error('nobody catches this')));
  },
  'drain-hangs': async () => {},
  'drain-fails': async () => {},
} as const satisfies Record<string, () => Promise<void>>;

const DRAIN: Readonly<Record<string, () => Promise<void>>> = {
  'drain-hangs': () => new Promise<void>(() => {}),
  'drain-fails': () => Promise.reject(new Error('did not close')),
};

runProcess({
  logger: createLogger({ level: 'info', role: 'child' }),
  graceMs: 300,
  start: async () => {
    const busy = setInterval(() => {}, 60_000);
    await START[life as keyof typeof START]();
    return {
      ready: { port: 80 },
      close: async () => {
        await DRAIN[life]?.();
        clearInterval(busy);
        process.stdout.write('closed\n');
      },
    };
  },
});
