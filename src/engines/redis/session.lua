-- The life of a session. ARGV[2] is what to do, ARGV[3] the session:
--   open   for ARGV[4] milliseconds, under the label ARGV[5]
--   renew  for as long again; answers with 0 when it is not known any more
--   end
local verb, session = ARGV[2], ARGV[3]
local stored = call('HMGET', entries, '\1', '\2', '\3' .. session)
if verb ~= 'open' then call('HDEL', entries, '\1\1') end
if verb == 'end' and stored[3] then
  -- It ends like one whose time has come.
  call('ZADD', deadlines, 0, session)
  stored[2] = '1'
end
-- Who dies here is not known any more, be it the very one.
if settle(stored[1], stored[2]) then stored[3] = call('HGET', entries, '\3' .. session) end

local known = stored[3]
if verb == 'open' then
  known = ARGV[4] .. ' ' .. ARGV[5]
  call('HSET', entries, '\3' .. session, known)
end
if verb ~= 'end' and known then
  local deadline = now + match(known, '^%S+') * 1000
  call('ZADD', deadlines, text(deadline), session)
  if due == '0' or deadline < tonumber(due) then
    due = text(deadline)
    call('HSET', entries, '\2', due)
  end
end
return { due ~= '0' and (due - now) / 1000, { known and 1 or 0, revision } }
