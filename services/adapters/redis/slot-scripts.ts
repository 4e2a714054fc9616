/**
 * What both scripts begin with. Keys: who holds a slot (score: until when), who waits (score: since
 * when), who waits (score: when last heard of). Arguments: id, slots, milliseconds a hold lasts,
 * manner. All times are of Redis' own clock.
 */
const BEGIN_LUA = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local id, slots, hold = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local function keep(key) redis.call('PEXPIRE', key, hold * 2) end
`;

/** Those who have not asked for so long, in milliseconds, wait no more. */
const GONE_MS = 1_000;

/** What a holder's id says that is over in a moment. */
const IS_BRIEF_LUA = `
local function isBrief(holder)
  for _, use in ipairs({'|playlist|', '|segment|', '|ahead|', '|probe|'}) do
    if string.find(holder, use, 1, true) then return true end
  end
  return false
end
`;

/**
 * 1: the slot is taken. 0: not now; who waits has a place in the queue. −1: not now, and nothing
 * that holds one is brief.
 */
export const TAKE_LUA = `${BEGIN_LUA}${IS_BRIEF_LUA}
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now - ${GONE_MS}, 'LIMIT', 0, 1000)) do
  redis.call('ZREM', KEYS[2], gone)
  redis.call('ZREM', KEYS[3], gone)
end
local before = redis.call('ZRANK', KEYS[2], id) or redis.call('ZCARD', KEYS[2])
if slots - redis.call('ZCARD', KEYS[1]) > before then
  redis.call('ZADD', KEYS[1], now + hold, id)
  redis.call('ZREM', KEYS[2], id)
  redis.call('ZREM', KEYS[3], id)
  keep(KEYS[1])
  return 1
end
if ARGV[4] == 'waits' then
  redis.call('ZADD', KEYS[2], 'NX', now, id)
  redis.call('ZADD', KEYS[3], now, id)
  keep(KEYS[2])
  keep(KEYS[3])
end
for _, holder in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if isBrief(holder) then return 0 end
end
return -1
`;

/** The same slot under another id, which says what it is held for now. */
export const RENAME_LUA = `${BEGIN_LUA}
if redis.call('ZREM', KEYS[1], id) == 1 then redis.call('ZADD', KEYS[1], now + hold, ARGV[4]) end
keep(KEYS[1])
return 0
`;

/** How many wait; −1: the slot has run out, and there is none left to take in its place. */
export const RENEW_LUA = `${BEGIN_LUA}
if not redis.call('ZSCORE', KEYS[1], id) and redis.call('ZCARD', KEYS[1]) >= slots then return -1 end
redis.call('ZADD', KEYS[1], now + hold, id)
keep(KEYS[1])
return redis.call('ZCARD', KEYS[2])
`;
