-- A change: all of it, or nothing when a condition does not hold.
--
-- ARGV[2..4]  a query: kind, name, limit
-- ARGV[5..6]  how many conditions and writes follow
-- then        of each condition: kind, key or '\3<session>', revision
-- then        of each write: 'put' or 'delete', key, session or '', value
--
-- Answers with 0, or with the number of what failed: a condition, or beyond those a put whose session is
-- dead.
local condition_count, write_count = tonumber(ARGV[5]), tonumber(ARGV[6])
local first_write = 7 + 3 * condition_count
local last_write = first_write + 4 * (write_count - 1)

-- All that the change is judged by, and all that it replaces, in one look; in another if somebody died.
local known = {}
repeat
  local fields = { '\1', '\2' }
  for at = 8, first_write, 3 do fields[#fields + 1] = ARGV[at] end
  for at = first_write, last_write, 4 do
    fields[#fields + 1] = ARGV[at + 1]
    if ARGV[at + 2] ~= '' then fields[#fields + 1] = '\3' .. ARGV[at + 2] end
  end
  local raws = call('HMGET', entries, unpack(fields))
  for i = 3, #fields do known[fields[i]] = raws[i] end
until not settle(raws[1], raws[2])

local function failure()
  for i = 1, condition_count do
    local kind, raw, stamp = ARGV[4 + 3 * i], known[ARGV[5 + 3 * i]], ARGV[6 + 3 * i]
    local holds = raw
    if kind == 'absent' then
      holds = not raw
    elseif raw and kind ~= 'alive' then
      holds = match(raw, kind == 'created' and '^%d+' or '^%d+ (%d+)') == stamp
    end
    if not holds then return i end
  end
  for i = 1, write_count do
    local session = ARGV[first_write + 4 * i - 2]
    if session ~= '' and not known['\3' .. session] then return condition_count + i end
  end
  return 0
end

local function write()
  local before = revision
  local stamp = advance()
  local sets, gone, added, dropped, events = { '\1', stamp }, {}, {}, {}, {}
  for at = first_write, last_write, 4 do
    local key, session = ARGV[at + 1], ARGV[at + 2]
    local raw = known[key]
    local created, owner = stamp, ''
    if raw then created, owner = match(raw, '^(%d+) %d+ (%S*) ') end
    local after = ''
    if ARGV[at] == 'put' then
      after = created .. ' ' .. stamp .. ' ' .. session .. ' ' .. ARGV[at + 3]
      sets[#sets + 1], sets[#sets + 2] = key, after
      if not raw then added[1 + #added], added[2 + #added] = 0, key end
      if session ~= '' and session ~= owner then
        added[1 + #added], added[2 + #added] = 0, '\1' .. session .. ' ' .. key
      end
    elseif raw then
      gone[#gone + 1] = key
      dropped[#dropped + 1] = key
    end
    if after ~= '' or raw then
      events[#events + 1], events[#events + 2] = key, after
      if owner ~= '' and owner ~= session then dropped[#dropped + 1] = '\1' .. owner .. ' ' .. key end
    end
  end
  if #events == 0 then
    revision = before
    return false
  end
  -- Deletes first, which make room on a server that is out of memory: there a mere put is refused, a release
  -- is not.
  if #gone > 0 then call('HDEL', entries, unpack(gone)) end
  call('HSET', entries, unpack(sets))
  if #added > 0 then call('ZADD', index, unpack(added)) end
  if #dropped > 0 then call('ZREM', index, unpack(dropped)) end
  tell(stamp, events)
  return true
end

local failed = failure()
if failed ~= 0 or not write() then prove_master() end
return answer(failed, ARGV[2], ARGV[3], ARGV[4])
