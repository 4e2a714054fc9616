import { createHash } from 'node:crypto';

/**
 * Writes a list of changes, all or none, each with its event.
 *
 * KEYS: streams, touched, open, viewers, events, nodes.
 * ARGV: start of the watching keys, channel, event log maximum; then six fields per change:
 * kind, stream id, member, record, event, note. `encodeChange` says what they hold.
 * `touched` is kept in Redis' own clock, so that the clocks of many machines need not agree.
 */
export const COMMIT_LUA = `
local streams, touched, open, viewers, events, nodes = unpack(KEYS)
local watching, channel, limit = ARGV[1], ARGV[2], ARGV[3]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function tell(event)
  redis.call('XADD', events, 'MAXLEN', '~', limit, '*', 'e', event)
end
local function touch(id)
  redis.call('ZADD', touched, 'XX', now, id)
end

local apply = {
  saved = function(id, _, record, _, note)
    redis.call('HSET', streams, id, record)
    redis.call('ZADD', touched, now, id)
    redis.call('PUBLISH', channel, note)
  end,
  removed = function(id, _, _, _, note)
    redis.call('HDEL', streams, id)
    redis.call('ZREM', touched, id)
    redis.call('PUBLISH', channel, note)
  end,
  opened = function(id, _, record, event)
    touch(id)
    if redis.call('HSETNX', open, id, record) == 1 then tell(event) end
  end,
  closed = function(id, only, _, event)
    touch(id)
    if only == 'unwatched' and redis.call('SCARD', watching .. id) > 0 then return end
    if redis.call('HDEL', open, id) == 1 then tell(event) end
  end,
  joined = function(id, session, record, event, node)
    touch(id)
    redis.call('HSET', viewers, session, record)
    redis.call('SADD', watching .. id, session)
    redis.call('SADD', nodes, node)
    tell(event)
  end,
  left = function(id, session, _, event)
    touch(id)
    redis.call('SREM', watching .. id, session)
    if redis.call('HDEL', viewers, session) == 1 then tell(event) end
  end,
  noted = function(_, _, _, event)
    tell(event)
  end,
}

for at = 4, #ARGV, 6 do
  apply[ARGV[at]](ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5])
end
return 1
`;

export const COMMIT_SHA = createHash('sha1').update(COMMIT_LUA).digest('hex');
