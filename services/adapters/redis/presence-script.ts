/**
 * Who watches: part of every script that begins or ends a viewer's session. A viewer is one by its
 * stream and client id, however many sessions it has at however many processes: a session that goes
 * while another is left is told to nobody, and what it was served counts for the one that is left.
 *
 * Wants these locals before it: `viewers`, `present`, `counts` (keys), `watching` and `beats` (starts
 * of keys). In `counts`, a session has what its process counted (bytes, segments), and under its name
 * and `+` what it took over (bytes, segments, since when); `viewer-pasts.ts` writes and reads both.
 */
export const PRESENCE_LUA = `
local function countsOf(field)
  local bytes, segments, since =
    string.match(redis.call('HGET', counts, field) or '', '^(%d+) (%d+) ?(%d*)$')
  return { bytes = tonumber(bytes) or 0, segments = tonumber(segments) or 0, since = tonumber(since) }
end

local function inherit(session, past)
  local own = countsOf(session .. '+')
  redis.call('HSET', counts, session .. '+', string.format('%.0f %.0f %.0f',
    own.bytes + past.bytes, own.segments + past.segments,
    math.min(own.since or past.since, past.since)))
end

local function nameOf(stream, record, session)
  return stream .. ' ' .. (record.clientId or session)
end

-- The other sessions of the same viewer that are on record.
local function othersOf(name, session)
  local others = {}
  for other in string.gmatch(redis.call('HGET', present, name) or '', '%S+') do
    if other ~= session and redis.call('HEXISTS', viewers, other) == 1 then
      table.insert(others, other)
    end
  end
  return others
end

local function setPresent(name, sessions)
  if #sessions == 0 then return redis.call('HDEL', present, name) end
  redis.call('HSET', present, name, table.concat(sessions, ' '))
end

-- Takes one session off the record. Nothing when it was not there; else who is left of the same
-- viewer, and what it was served: by its process's last word, and before.
local function forget(stream, session)
  redis.call('SREM', watching .. stream, session)
  local text = redis.call('HGET', viewers, session)
  if not text then return nil end
  redis.call('HDEL', viewers, session)
  local record = cjson.decode(text)
  local name = nameOf(stream, record, session)
  local others = othersOf(name, session)
  setPresent(name, others)
  local own, before = countsOf(session), countsOf(session .. '+')
  redis.call('HDEL', counts, session, session .. '+')
  return others, own, { bytes = before.bytes, segments = before.segments,
    since = before.since or record.joinedAtMs or 0 }
end

-- Ends one session; gives the event to tell, where that was the viewer's last. Whether it was on
-- record is the second answer.
local function leave(stream, session, event)
  local others, own, past = forget(stream, session)
  if not others then return nil, false end
  local told = cjson.decode(event)
  local fact = told.fact
  -- What its process says of it at the end is later than what it has written down.
  local bytes = math.max(fact.bytesServed, own.bytes) + past.bytes
  local segments = math.max(fact.segmentsServed, own.segments) + past.segments
  if #others > 0 then
    inherit(others[1], { bytes = bytes, segments = segments, since = past.since })
    return nil, true
  end
  if bytes == fact.bytesServed and segments == fact.segmentsServed then return event, true end
  fact.bytesServed, fact.segmentsServed = bytes, segments
  return cjson.encode(told), true
end

-- A player that polls asks one process at a time; others are gone when theirs is.
local function isOver(record, by)
  if record.node == by.node or (record.polls and by.polls) then return true end
  return redis.call('EXISTS', beats .. record.node) == 0
end

-- Puts a session on record. Whether the viewer has come, and was not there before.
local function join(stream, session, text)
  if redis.call('HSETNX', viewers, session, text) == 0 then return false end
  redis.call('SADD', watching .. stream, session)
  local record = cjson.decode(text)
  local name = nameOf(stream, record, session)
  local others = othersOf(name, session)
  local sessions = { session }
  for _, other in ipairs(others) do
    if isOver(cjson.decode(redis.call('HGET', viewers, other)), record) then
      local _, own, past = forget(stream, other)
      inherit(session, { bytes = own.bytes + past.bytes, segments = own.segments + past.segments,
        since = past.since })
    else
      table.insert(sessions, other)
    end
  end
  setPresent(name, sessions)
  return #others == 0
end
`;
