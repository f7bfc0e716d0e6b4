-- What every script of the gate knows of a coupon. Its keys, all with one hash tag:
--   STATE     what the gate was told and has come to (below)
--   PLACES    user → 'task position at P' (the request is pending) or '… I' (the coupon is issued)
--   WAITING   'task:user:position' of each pending place, by the time it was given
--   KEPT      the same of what was pending when the gate was closed, until it is opened again
--   RETURNED  users whose places went back, by the time they were admitted: their windows may still be open
-- Tasks are written with sixteen digits, so that equal times are ordered by task.
local STATE, PLACES, WAITING, KEPT, RETURNED = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]

-- A server that was restarted, or has become the master only now, may not have heard of the last writes: it continues another run of writes, and
-- what was opened in one run is closed in the next, until somebody who knows has told the gate again.
local function run()
    return string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
end

-- phase: 'closed', 'merging' (what was kept is being added) or 'open'; nil if nobody told of the coupon.
-- last: the last position that was ever given; window: that of the last admission; places: how many there are, to notice when some were lost;
-- forget: when all of it goes.
local function known()
    local fields = redis.call('HMGET', STATE, 'phase', 'fence', 'run', 'last', 'places', 'window', 'stock', 'opens', 'expires', 'forget')
    return {
        phase = fields[1] or nil, fence = tonumber(fields[2] or 0), run = fields[3], last = tonumber(fields[4] or 0),
        places = tonumber(fields[5] or 0), window = tonumber(fields[6] or 0), stock = tonumber(fields[7] or 0),
        opens = tonumber(fields[8] or ''), expires = tonumber(fields[9] or 0), forget = fields[10],
    }
end

-- Whether what is remembered is everything that was.
local function is_sound(gate)
    return gate.phase ~= nil and gate.run == run() and redis.call('HLEN', PLACES) == gate.places
end

local function read(place)
    local task, position, at, state = string.match(place, '^(%d+) (%d+) (-?%d+) (%a)$')
    return { task = task, position = position, at = at, state = state }
end

local function waiting(task, user, position)
    return task .. ':' .. user .. ':' .. position
end

-- Gives a user a place, in exchange for the one it has.
local function put(gate, user, former, task, position, at, state)
    if not former then
        gate.places = gate.places + 1
    elseif former.state == 'P' then
        redis.call('ZREM', WAITING, waiting(former.task, user, former.position))
    end
    redis.call('HSET', PLACES, user, task .. ' ' .. position .. ' ' .. at .. ' ' .. state)
    if state == 'P' then
        redis.call('ZADD', WAITING, at, waiting(task, user, position))
    end
    gate.last = math.max(gate.last, tonumber(position))
end

-- Gives a user a place unless it has one; only that the coupon is issued is later news than that the request is pending.
local function put_new(gate, user, task, position, at, state)
    gate.last = math.max(gate.last, tonumber(position))
    local former = redis.call('HGET', PLACES, user)
    former = former and read(former)
    if not former or (former.state == 'P' and state == 'I') then
        put(gate, user, former, task, position, at, state)
    end
end

local function note(gate)
    redis.call('HSET', STATE, 'last', string.format('%.0f', gate.last), 'places', gate.places, 'window', string.format('%.0f', gate.window))
end

-- Has everything go at this time, whichever keys were made meanwhile.
local function expire(forget)
    for _, key in ipairs(KEYS) do
        redis.call('PEXPIREAT', key, forget)
    end
end
