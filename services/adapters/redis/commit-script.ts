import { createHash } from 'node:crypto';
import { PRESENCE_LUA } from './presence-script.ts';

/** A process that goes the way of another, which is gone, is believed to make the same switch. */
const SAME_SWITCH_MS = 90_000;

/**
 * Writes a list of changes, all or none, each with its event.
 *
 * KEYS: streams, touched, open, viewers, events, nodes, present, counts, switches.
 * ARGV: start of the watching keys, start of the heartbeats, channel, event log maximum; then six
 * fields per change:
 * kind, stream id, member, record, event, note. `encodeChange` says what they hold.
 * `touched` is kept in Redis' own clock, so that the clocks of many machines need not agree.
 */
export const COMMIT_LUA = `
local streams, touched, open, viewers, events, nodes, present, counts, switches = unpack(KEYS)
local watching, beats, channel, limit = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

${PRESENCE_LUA}
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
    if redis.call('HDEL', open, id) == 1 then
      redis.call('HDEL', switches, id)
      tell(event)
    end
  end,
  joined = function(id, session, record, event, node)
    touch(id)
    redis.call('SADD', nodes, node)
    if join(id, session, record) then tell(event) end
  end,
  left = function(id, session, _, event)
    touch(id)
    local told = leave(id, session, event)
    if told then tell(told) end
  end,
  moved = function(id, way, _, event, node)
    local last = redis.call('HGET', switches, id) or ''
    local by, at, known = string.match(last, '^(%S+) (%d+) (.*)$')
    if known == way and by ~= node and now - at < ${SAME_SWITCH_MS} then return end
    redis.call('HSET', switches, id, node .. ' ' .. string.format('%.0f', now) .. ' ' .. way)
    tell(event)
  end,
  noted = function(_, _, _, event)
    tell(event)
  end,
}

for at = 5, #ARGV, 6 do
  apply[ARGV[at]](ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5])
end
return 1
`;

export const COMMIT_SHA = createHash('sha1').update(COMMIT_LUA).digest('hex');
