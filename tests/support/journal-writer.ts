import { RedisStateJournal } from '#adapters/redis/state-journal';
import { openRedis } from '#adapters/redis/connection';
import { silentLogger } from '#kernel/logger';
import { anEvent } from './events.ts';

/** A process that commits events, tells its parent which, and waits to be killed. */
const [url = '', prefix = ''] = process.argv.slice(2);
const logger = silentLogger;
const redis = openRedis({ url, role: 'writer', logger });
const journal = new RedisStateJournal({ redis, prefix, origin: 'w', eventLogMax: 9_000, logger });
const events = Array.from({ length: 20 }, () => anEvent());
await Promise.all(events.map((event) => journal.commit([{ kind: 'noted', event }])));
process.send?.(events.map(({ eventId }) => eventId));
