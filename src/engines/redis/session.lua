-- The life of a session. ARGV[2] is what to do, ARGV[3] the session:
--   open   for ARGV[4] milliseconds, under the label ARGV[5]
--   renew  for as long again; answers with 0 when it is not known any more
--   end
local verb, session = ARGV[2], ARGV[3]
local stored = call('HMGET', entries, '\1', '\2')
settle(stored[1], stored[2])

local function live(ttl)
  local deadline = now + ttl * 1000
  call('ZADD', deadlines, text(deadline), session)
  if due == '0' or deadline < tonumber(due) then
    due = text(deadline)
    call('HSET', entries, '\2', due)
  end
end

local done = 1
if verb == 'open' then
  call('HSET', entries, '\3' .. session, ARGV[4] .. ' ' .. ARGV[5])
  live(ARGV[4])
elseif verb == 'renew' then
  local raw = call('HGET', entries, '\3' .. session)
  prove_master()
  if raw then live(match(raw, '^%S+')) else done = 0 end
else
  prove_master()
  finish(session)
end
return answer(done, '')
