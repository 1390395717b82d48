-- Changes and looks, one after the other. Each change is made whole, or not at all.
--
-- ARGV[2...]  the conditions, writes and query of each change, in this order; each change has one query:
--             'absent', key, ''; 'created' or 'modified', key, revision; 'alive', session, ''
--             'put', key, session or '', value; 'delete', key, ''
--             'key', key, ''; 'prefix' or 'sessions' (a prefix, and who lives), prefix, limit by key or '';
--             'nothing', '', ''
--
-- Answers with the milliseconds until a session may be due (nil if there is none), and for each change with
-- its verdict, the revision, and what its query found: the keys, what is stored of them, and who lives if
-- that is asked. The verdict is 0, or the number of what failed: a condition, or beyond those a put whose
-- session is dead; or the words of a server that is out of memory.
local argv = ARGV
local total = #argv

-- All that the changes are judged by, and all that they replace, in one look; in another if somebody died.
-- From then on it is kept as it stands after each write.
local known, fields, at = {}, { '\1', '\2' }, 2
while at < total do
  local verb, name, session = argv[at], argv[at + 1], argv[at + 2]
  local field = verb == 'alive' and '\3' .. name or name
  if field ~= fields[#fields] then fields[#fields + 1] = field end
  if verb == 'put' then
    if session ~= '' then fields[#fields + 1] = '\3' .. session end
    at = at + 4
  else
    at = at + 3
  end
end
repeat
  local raws = call('HMGET', entries, unpack(fields))
  for i = 3, #fields do known[fields[i]] = raws[i] end
until not settle(raws[1], raws[2])

-- The stamp of a delete, which is stored with the next put, or at the end; nil when nothing was written.
local unstored
local answers = { due ~= '0' and (due - now) / 1000 }
at = 2
while at < total do
  local first, verdict, number = at, 0, 0
  while true do
    local verb, name, extra = argv[at], argv[at + 1], argv[at + 2]
    local holds, size = true, 3
    if verb == 'put' then
      holds, size = extra == '' or known['\3' .. extra], 4
    elseif verb == 'absent' then
      holds = not known[name]
    elseif verb == 'alive' then
      holds = known['\3' .. name]
    elseif verb == 'created' or verb == 'modified' then
      local raw = known[name]
      holds = raw and match(raw, verb == 'created' and '^%d+' or '^%d+ (%d+)') == extra
    elseif verb ~= 'delete' then
      break
    end
    number = number + 1
    if verdict == 0 and not holds then verdict = number end
    at = at + size
  end
  local query = at

  if verdict == 0 and first < query then
    local before, stamp, events = revision, advance(), {}
    -- Deletes first, which make room on a server that is out of memory: there a mere put is refused, a
    -- release is not.
    at = first
    while at < query do
      local verb, key = argv[at], argv[at + 1]
      local raw = verb == 'delete' and known[key]
      if raw then
        local owner = match(raw, '^%d+ %d+ (%S*) ')
        call('HDEL', entries, key)
        call('ZREM', index, key, '\1' .. owner .. ' ' .. key)
        unstored = stamp
      end
      at = at + (verb == 'put' and 4 or 3)
    end
    at = first
    while at < query do
      local verb, key, session = argv[at], argv[at + 1], argv[at + 2]
      local raw, after = known[key], ''
      if verb == 'put' then
        local created, owner = stamp, ''
        if raw then created, owner = match(raw, '^(%d+) %d+ (%S*) ') end
        after = created .. ' ' .. stamp .. ' ' .. session .. ' ' .. argv[at + 3]
        local set = redis.pcall('HSET', entries, '\1', stamp, key, after)
        if type(set) == 'table' then
          -- Only the first write of all can be refused, so nothing of this change was made.
          if not match(set.err, 'OOM') then return set end
          verdict = set.err
          break
        end
        unstored = false
        if owner ~= '' and owner ~= session then call('ZREM', index, '\1' .. owner .. ' ' .. key) end
        if session ~= '' and session ~= owner then
          call('ZADD', index, 0, key, 0, '\1' .. session .. ' ' .. key)
        elseif not raw then
          call('ZADD', index, 0, key)
        end
      end
      if verb == 'put' or verb == 'delete' and raw then
        events[#events + 1], events[#events + 2] = key, after
        known[key] = after ~= '' and after
      end
      at = at + (verb == 'put' and 4 or 3)
    end
    if #events > 0 then tell(stamp, events) else revision = before end
  end

  local kind, name, limit = argv[query], argv[query + 1], argv[query + 2]
  at = query + 3
  if kind == 'nothing' then
    answers[#answers + 1] = { verdict, revision }
  elseif kind == 'key' then
    answers[#answers + 1] = { verdict, revision, { name }, { known[name] } }
  else
    -- No key begins with less than a space.
    local from, to, keys = name == '' and '[ ' or '[' .. name, '(' .. name .. '\255', nil
    if limit == '' then
      keys = call('ZRANGEBYLEX', index, from, to)
    else
      keys = call('ZRANGEBYLEX', index, from, to, 'LIMIT', 0, limit)
    end
    -- Who is alone finds what it wrote itself.
    local raws = {}
    for i = 1, #keys do
      raws[i] = known[keys[i]]
      if not raws[i] then
        raws = {}
        for some = 1, #keys, most do
          local found = call('HMGET', entries, unpack(keys, some, math.min(some + most - 1, #keys)))
          for j = 1, #found do raws[#raws + 1] = found[j] end
        end
        break
      end
    end
    -- Of each session: its id, milliseconds left, "ttl label".
    local living
    if kind == 'sessions' then
      local ids = call('ZRANGE', deadlines, 0, -1, 'WITHSCORES')
      living = {}
      for i = 1, #ids, 2 do
        living[#living + 1] = ids[i]
        living[#living + 1] = math.ceil((ids[i + 1] - now) / 1000)
        living[#living + 1] = call('HGET', entries, '\3' .. ids[i])
      end
    end
    answers[#answers + 1] = { verdict, revision, keys, raws, living }
  end
end

if unstored then
  call('HSET', entries, '\1', unstored)
elseif unstored == nil then
  call('HDEL', entries, '\1\1')
end
return answers
