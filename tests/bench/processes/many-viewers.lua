-- Each request is of another of a hundred viewers; a link that has a client_id keeps it.
local turn = 0

function init()
  separator = wrk.path:find("?", 1, true) and "&" or "?"
  named = wrk.path:find("client_id=", 1, true) ~= nil
end

function request()
  if named then return wrk.format(nil, wrk.path) end
  turn = turn % 100 + 1
  return wrk.format(nil, wrk.path .. separator .. "client_id=viewer-" .. turn)
end
