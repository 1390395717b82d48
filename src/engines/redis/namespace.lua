-- What every script begins with: where a namespace keeps what, and how its time passes.
--
-- KEYS[1], a hash:  of each key "created modified session value"; the session is '' where there is none.
--                   Other fields begin with a control character, which no key has: '\1' the last revision;
--                   '\2' a moment before which no session is due, '0' when there is none; '\3<session>'
--                   "ttl label" of each that lives.
-- KEYS[2], a zset:  each key, and '\1<session> <key>' of each bound one; all of score 0, and so in the
--                   order of their bytes.
-- KEYS[3], a zset:  the deadline of each session.
-- ARGV[1]           what the channels begin with that commits are told on; the key follows.
--
-- Moments are microseconds of the server's clock. They, and revisions, are whole numbers below 2^53, which
-- Lua's doubles hold exactly; as text they have all their digits, where tostring() would round to 14.
--
-- A script that only looks deletes the field '\1\1', which nobody ever sets: that changes nothing, but only
-- a master may do it. So no answer is given by a replica, which may know less than was acknowledged. Writes
-- that a server must take that is out of memory begin so too: after a delete a script may go on.
--
-- These scripts are all that a lock costs: hence few calls; and few functions, for each is made anew in each
-- run.
local call, match, sub = redis.call, string.match, string.sub
local entries, index, deadlines = KEYS[1], KEYS[2], KEYS[3]

local clock = call('TIME')
local now = clock[1] * 1000000 + clock[2]

-- Of them, due is text, as stored.
local revision, due

-- More values than this do not fit on Lua's stack at once, with room to spare.
local most = 4000

local function text(number)
  return string.format('%.0f', number)
end

-- The next revision: never below the clock, so that it goes on rising on a server that has forgotten the last
-- one, by a failover or a restart. Gives it as text, of which the clock's own digits are had for less.
local function advance()
  if now > revision then
    revision = now
    return clock[1] .. sub('00000' .. clock[2], -6)
  end
  revision = revision + 1
  return text(revision)
end

-- Tells a commit to whom it may concern: on the channel of each of its keys, all of it. One that is long is
-- told as a bare revision, after which they read for themselves. `events` has keys with what is stored of
-- them now, '' if they are gone.
local function tell(stamp, events)
  local head = stamp .. ' ' .. due .. ' ' .. clock[1] .. ' ' .. clock[2] .. '\n'
  local message = head
  for i = 1, #events, 2 do
    message = message .. events[i] .. '\n' .. #events[i + 1] .. '\n' .. events[i + 1]
    if #message * #events > 65536 then
      message = head
      break
    end
  end
  for i = 1, #events, 2 do call('PUBLISH', ARGV[1] .. events[i], message) end
end

-- Takes in what is stored of revision and due, and ends the sessions that are due: before anything else, so
-- that nobody is told of the dead. Says whether there were any.
local function settle(last, first)
  revision, due = tonumber(last or 0), first or '0'
  if due == '0' or now < tonumber(due) then return false end

  -- Ends a session; all its keys go in one revision.
  local function finish(session)
    call('ZREM', deadlines, session)
    call('HDEL', entries, '\3' .. session)
    local prefix = '\1' .. session .. ' '
    local bound = call('ZRANGEBYLEX', index, '[' .. prefix, '(' .. prefix .. '\255')
    if #bound == 0 then return end
    local events = {}
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
    local stamp = advance()
    call('HSET', entries, '\1', stamp)
    tell(stamp, events)
  end

  -- Not known while they die, and so not told: else all who hear of it would come by at once.
  due = '0'
  -- When thousands die at once, others get a turn in between; the rest is due still.
  local dead = call('ZRANGEBYSCORE', deadlines, '-inf', text(now), 'LIMIT', 0, 100)
  for i = 1, #dead do finish(dead[i]) end
  first = call('ZRANGE', deadlines, 0, 0, 'WITHSCORES')[2]
  due = first and text(first) or '0'
  call('HDEL', entries, '\1\1')
  call('HSET', entries, '\2', due)
  return #dead > 0
end
