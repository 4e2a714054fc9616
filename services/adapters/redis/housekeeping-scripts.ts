import { PRESENCE_LUA } from './presence-script.ts';

/**
 * Ends one session whose process is gone, and the stream's with the last of them.
 * KEYS: viewers, open, events, touched, present, counts, switches.
 * ARGV: start of the watching keys, session, stream, event of leaving, event of stopping, event log
 * maximum.
 */
export const END_VIEWER_LUA = `
local viewers, open, events, touched, present, counts, switches = unpack(KEYS)
local watching, session, stream, left, stopped, limit = unpack(ARGV)
local beats = ''
local time = redis.call('TIME')
${PRESENCE_LUA}
local told, wasThere = leave(stream, session, left)
if not wasThere then return 0 end
redis.call('ZADD', touched, 'XX', time[1] * 1000 + math.floor(time[2] / 1000), stream)
if told then redis.call('XADD', events, 'MAXLEN', '~', limit, '*', 'e', told) end
if redis.call('SCARD', watching .. stream) == 0 and redis.call('HDEL', open, stream) == 1 then
  redis.call('HDEL', switches, stream)
  redis.call('XADD', events, 'MAXLEN', '~', limit, '*', 'e', stopped)
end
return 1
`;

/**
 * Finds streams that nobody used: id, definition, id, definition … Watched ones count as used now,
 * so that they do not stand in the way of the next turn.
 * KEYS: touched, streams. ARGV: start of the watching keys, time to live in ms, how many at most.
 */
export const EXPIRED_LUA = `
local touched, streams = unpack(KEYS)
local watching, ttl, limit = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', touched, '-inf', now - ttl, 'LIMIT', 0, limit)) do
  if redis.call('SCARD', watching .. id) > 0 then
    redis.call('ZADD', touched, 'XX', now, id)
  else
    table.insert(found, id)
    table.insert(found, redis.call('HGET', streams, id) or '')
  end
end
return found
`;

/**
 * Forgets one stream, unless it was used since it was found.
 * KEYS: touched, streams, open, events, switches, the stream's watching set.
 * ARGV: stream, time to live in ms, event of stopping, event log maximum, channel, note.
 */
export const EXPIRE_LUA = `
local touched, streams, open, events, switches, watching = unpack(KEYS)
local stream, ttl, stopped, limit, channel, note = unpack(ARGV)
local time = redis.call('TIME')
local usedAt = tonumber(redis.call('ZSCORE', touched, stream))
if not usedAt or usedAt > time[1] * 1000 + math.floor(time[2] / 1000) - ttl then return 0 end
if redis.call('SCARD', watching) > 0 then return 0 end
redis.call('HDEL', streams, stream)
redis.call('HDEL', switches, stream)
redis.call('ZREM', touched, stream)
if redis.call('HDEL', open, stream) == 1 then
  redis.call('XADD', events, 'MAXLEN', '~', limit, '*', 'e', stopped)
end
redis.call('PUBLISH', channel, note)
return 1
`;
