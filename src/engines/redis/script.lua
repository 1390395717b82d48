-- Changes, looks and the life of sessions, one after the other. Each change is made whole, or not at all.
--
-- KEYS[1], a hash:  of each key "created modified session value"; the session is '' where there is none.
--                   Other fields begin with a control character, which no key has: '\1' the last revision;
--                   '\2' a moment before which no session is due, '0' when there is none; '\3<session>'
--                   "ttl label" of each that lives.
-- KEYS[2], a zset:  each key, and '\1<session> <key>' of each bound one; all of score 0, and so in the
--                   order of their bytes.
-- KEYS[3], a zset:  the deadline of each session.
-- ARGV[1]           what the channels begin with that commits are told on; the key follows.
-- ARGV[2...]        of each change its conditions, its writes, what it shows, and one query or deed:
--                   'absent', key; 'created' or 'modified', key, revision; 'alive', session
--                   'delete', key; and after these 'put', key, session or '', value
--                   'show', prefix: watchers are shown its oldest key, unless that would take long
--                   'nothing'; 'key', key; 'prefix' or 'sessions' (a prefix, and who lives), prefix, limit
--                   by key or -1; 'open', session, "ttl label"; 'renew' or 'end', session
--
-- Answers with the milliseconds until a session may be due (nil if there is none), and for each change with
-- its verdict, the revision, and what its query found: the keys, what is stored of them, and who lives if
-- that is asked. The verdict is 0, or the number of what failed: a condition, or beyond those a put whose
-- session is dead; 1 if a session to renew is not known; or the words of a server that is out of memory.
--
-- Moments are microseconds of the server's clock. They, and revisions, are whole numbers below 2^53, which
-- Lua's doubles hold exactly; as text they have all their digits, where tostring() would round to 14.
--
-- A script that only looks deletes the field '\1\1', which nobody ever sets: that changes nothing, but only
-- a master may do it. So no answer is given by a replica, which may know less than was acknowledged. Writes
-- that a server must take that is out of memory begin so too: after a delete a script may go on.
--
-- This is all that a lock costs: hence few calls; and few functions, for each is made anew in each run.
local call, match, sub, format = redis.call, string.match, string.sub, string.format
local entries, index, deadlines = KEYS[1], KEYS[2], KEYS[3]
local argv, total = ARGV, #ARGV

local clock = call('TIME')
local now = clock[1] * 1000000 + clock[2]

-- Of them, due is text, as stored.
local revision, due
-- What is stored of all that the changes are judged by, and of all that they replace; false where there is
-- nothing. It is kept as it stands after each write.
local known = {}
-- The stamp of a delete, which is stored with the next put, or at the end; nil when nothing was written.
local unstored

-- More values than this do not fit on Lua's stack at once, with room to spare.
local most = 4000

-- The next revision: never below the clock, so that it goes on rising on a server that has forgotten the last
-- one, by a failover or a restart. Gives it as text, of which the clock's own digits are had for less.
local function advance()
  if now > revision then
    revision = now
    return clock[1] .. sub('00000' .. clock[2], -6)
  end
  revision = revision + 1
  return format('%.0f', revision)
end

-- Tells a commit to whom it may concern: on the channel of each of its keys, all of it. One that is long is
-- told as a bare revision, after which they read for themselves. `events` has keys with what is stored of
-- them now, '' if they are gone; `shown` comes before them.
local function tell(stamp, events, shown)
  -- Only what is put may be bound to a session that they have not heard of.
  local wait = due ~= '0' and events[#events] ~= '' and math.floor((due - now) / 1000) or ''
  local head = stamp .. ' ' .. wait .. '\n'
  local message = head .. shown
  for i = 1, #events, 2 do
    message = message .. events[i] .. '\n' .. #events[i + 1] .. '\n' .. events[i + 1]
    if #message * #events > 65536 then
      message = head
      break
    end
  end
  for i = 1, #events, 2 do call('PUBLISH', argv[1] .. events[i], message) end
end

-- Ends the sessions that are due; all keys of each go in one revision.
local function settle()
  -- Not known while they die, and so not told: else all who hear of it would come by at once.
  due = '0'
  -- When thousands die at once, others get a turn in between; the rest is due still.
  local dead = call('ZRANGEBYSCORE', deadlines, '-inf', format('%.0f', now), 'LIMIT', 0, 100)
  for _, session in ipairs(dead) do
    call('ZREM', deadlines, session)
    call('HDEL', entries, '\3' .. session)
    local prefix, events = '\1' .. session .. ' ', {}
    local bound = call('ZRANGEBYLEX', index, '[' .. prefix, '(' .. prefix .. '\255')
    for from = 1, #bound, most / 2 do
      local keys, members = {}, {}
      for i = from, math.min(from + most / 2 - 1, #bound) do
        local key = sub(bound[i], #prefix + 1)
        keys[#keys + 1] = key
        members[#members + 1], members[#members + 2] = bound[i], key
        events[#events + 1], events[#events + 2] = key, ''
      end
      call('HDEL', entries, unpack(keys))
      call('ZREM', index, unpack(members))
    end
    if #bound > 0 then
      local stamp = advance()
      call('HSET', entries, '\1', stamp)
      tell(stamp, events, '')
    end
  end
  local first = call('ZRANGE', deadlines, 0, 0, 'WITHSCORES')[2]
  due = first and format('%.0f', first) or '0'
  call('HDEL', entries, '\1\1')
  call('HSET', entries, '\2', due)
  for field in pairs(known) do known[field] = call('HGET', entries, field) end
end

local fields, at = { '\1', '\2' }, 2
while at <= total do
  local verb, name, extra = argv[at], argv[at + 1], argv[at + 2]
  if verb == 'nothing' then
    at = at + 1
  elseif verb == 'show' then
    at = at + 2
  elseif verb == 'prefix' or verb == 'sessions' or verb == 'open' then
    at = at + 3
  else
    local field = (verb == 'alive' or verb == 'renew' or verb == 'end') and '\3' .. name or name
    if field ~= fields[#fields] then fields[#fields + 1] = field end
    if verb == 'put' and extra ~= '' then fields[#fields + 1] = '\3' .. extra end
    at = at + (verb == 'put' and 4 or (verb == 'created' or verb == 'modified') and 3 or 2)
  end
end
local found = call('HMGET', entries, unpack(fields))
revision, due = tonumber(found[1] or 0), found[2] or '0'
for i = 3, #fields do known[fields[i]] = found[i] end
-- Before anything else, so that nobody is told of the dead.
if due ~= '0' and now >= tonumber(due) then settle() end

local answers = { 0 }
at = 2
while at <= total do
  local verdict, number, writes = 0, 0, nil
  while true do
    local verb, name, extra = argv[at], argv[at + 1], argv[at + 2]
    local holds, size = true, 2
    if verb == 'put' then
      holds, size = extra == '' or known['\3' .. extra], 4
      writes = writes or at
    elseif verb == 'delete' then
      writes = writes or at
    elseif verb == 'absent' then
      holds = not known[name]
    elseif verb == 'alive' then
      holds = known['\3' .. name]
    elseif verb == 'created' or verb == 'modified' then
      local raw = known[name]
      holds, size = raw and match(raw, verb == 'created' and '^%d+' or '^%d+ (%d+)') == extra, 3
    else
      break
    end
    number = number + 1
    if verdict == 0 and not holds then verdict = number end
    at = at + size
  end
  local written, show = at, nil
  if argv[at] == 'show' then at, show = at + 2, argv[at + 1] end

  if verdict == 0 and writes then
    local before, stamp, events = revision, advance(), {}
    while writes < written do
      local verb, key, session = argv[writes], argv[writes + 1], argv[writes + 2]
      local raw = known[key]
      local created, owner, after = stamp, '', nil
      if raw then created, owner = match(raw, '^(%d+) %d+ (%S*) ') end
      if verb == 'put' then
        after = created .. ' ' .. stamp .. ' ' .. session .. ' ' .. argv[writes + 3]
        local set = redis.pcall('HSET', entries, '\1', stamp, key, after)
        if type(set) == 'table' then
          -- A server that is out of memory refuses the first write of all, unless it is a delete: so nothing
          -- of this change was made.
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
        known[key] = after
        writes = writes + 4
      else
        if raw then
          call('HDEL', entries, key)
          call('ZREM', index, key, '\1' .. owner .. ' ' .. key)
          unstored, after, known[key] = stamp, '', false
        end
        writes = writes + 2
      end
      if after then events[#events + 1], events[#events + 2] = key, after end
    end
    local shown = ''
    if show then
      local from = show == '' and '[ ' or '[' .. show
      local keys = call('ZRANGEBYLEX', index, from, '(' .. show .. '\255', 'LIMIT', 0, 33)
      if #keys > 0 and #keys <= 32 then
        local raws = call('HMGET', entries, unpack(keys))
        local oldest, age = 0, math.huge
        for i = 1, #keys do
          local created = tonumber(match(raws[i], '^%d+'))
          if created < age then oldest, age = i, created end
        end
        local raw = raws[oldest]
        if #raw <= 1024 then shown = '\1' .. keys[oldest] .. '\n' .. #raw .. '\n' .. raw end
      end
    end
    if #events > 0 then tell(stamp, events, shown) else revision = before end
  end

  local kind, name, extra = argv[at], argv[at + 1], argv[at + 2]
  local answer = { verdict, revision }
  answers[#answers + 1] = answer
  if kind == 'nothing' then
    at = at + 1
  elseif kind == 'key' then
    at = at + 2
    answer[3], answer[4] = { name }, { known[name] }
  elseif kind == 'prefix' or kind == 'sessions' then
    at = at + 3
    -- No key begins with less than a space.
    local from = name == '' and '[ ' or '[' .. name
    local keys = call('ZRANGEBYLEX', index, from, '(' .. name .. '\255', 'LIMIT', 0, extra)
    -- Who is alone finds what it wrote itself.
    local raws = {}
    for i = 1, #keys do
      raws[i] = known[keys[i]]
      if not raws[i] then
        raws = {}
        for some = 1, #keys, most do
          local more = call('HMGET', entries, unpack(keys, some, math.min(some + most - 1, #keys)))
          for j = 1, #more do raws[#raws + 1] = more[j] end
        end
        break
      end
    end
    answer[3], answer[4] = keys, raws
    if kind == 'sessions' then
      -- Of each: its id, milliseconds left, "ttl label".
      local living, ids = {}, call('ZRANGE', deadlines, 0, -1, 'WITHSCORES')
      for i = 1, #ids, 2 do
        living[#living + 1] = ids[i]
        living[#living + 1] = math.ceil((ids[i + 1] - now) / 1000)
        living[#living + 1] = call('HGET', entries, '\3' .. ids[i])
      end
      answer[5] = living
    end
  elseif kind == 'end' then
    at = at + 2
    call('HDEL', entries, '\1\1')
    if unstored then call('HSET', entries, '\1', unstored) end
    unstored = false
    if known['\3' .. name] then
      -- It ends like one whose time has come.
      call('ZADD', deadlines, 0, name)
      settle()
    end
  else
    local session = known['\3' .. name]
    at = at + 2
    if kind == 'open' then
      at = at + 1
      session = extra
      local set = redis.pcall('HSET', entries, '\3' .. name, session)
      if type(set) == 'table' then
        if not match(set.err, 'OOM') then return set end
        answer[1], session = set.err, false
      end
    else
      call('HDEL', entries, '\1\1')
      answer[1] = session and 0 or 1
    end
    if session then
      local deadline = now + match(session, '^%S+') * 1000
      call('ZADD', deadlines, format('%.0f', deadline), name)
      if due == '0' or deadline < tonumber(due) then
        due = format('%.0f', deadline)
        call('HSET', entries, '\2', due)
      end
    end
  end
end

if unstored then
  call('HSET', entries, '\1', unstored)
elseif unstored == nil then
  call('HDEL', entries, '\1\1')
end
answers[1] = due ~= '0' and (due - now) / 1000
return answers
