-- Registers a new stream with each request.
local count = 0
local headers = { ["Content-Type"] = "application/json" }

function request()
  count = count + 1
  local body = string.format(
    '{"url":"http://127.0.0.1:9/posted/%d.ts","failover_urls":["http://127.0.0.1:9/backup/%d.ts"],' ..
    '"metadata":{"id":"%d","type":"channel","playlist_uuid":"bench"}}', count, count, count)
  return wrk.format("POST", nil, headers, body)
end
