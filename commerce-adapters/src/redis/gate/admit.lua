-- Decides requests, one after the other.
-- ARGV: the window in milliseconds, then of each request: task, user, now.
-- Answers for each: its position; or -1 closed, -2 not open yet, -3 expired, -4 has a place, -5 none left; or -100 and less: so much more than 100 is
-- left of the window.
local CLOSED, INACTIVE, EXPIRED, DUPLICATED, OUT_OF_STOCK, WINDOW = -1, -2, -3, -4, -5, -100
local POSITION_MAX = 4294967295
local window = tonumber(ARGV[1])
local gate = known()
local is_open = gate.phase == 'open' and is_sound(gate)
local admitted, is_first = false, false

local function decide(task, user, at)
    local now = tonumber(at)
    local place = redis.call('HGET', PLACES, user)
    place = place and read(place)
    if place and place.task == task then
        return tonumber(place.position)
    end
    local returned = not place and redis.call('ZSCORE', RETURNED, user)
    local since = tonumber(place and place.at or returned or '')
    local left = since and window - math.max(now - since, 0) or 0
    if left > 0 then
        return WINDOW - left
    elseif gate.opens and now < gate.opens then
        return INACTIVE
    elseif now >= gate.expires then
        return EXPIRED
    elseif place then
        return DUPLICATED
    elseif gate.places >= gate.stock or gate.last >= POSITION_MAX then
        return OUT_OF_STOCK
    end
    if returned then
        redis.call('ZREM', RETURNED, user)
    end
    is_first = is_first or redis.call('EXISTS', WAITING) == 0
    put(gate, user, nil, task, string.format('%.0f', gate.last + 1), at, 'P')
    admitted = true
    return gate.last
end

local verdicts = {}
for i = 2, #ARGV, 3 do
    verdicts[#verdicts + 1] = is_open and decide(ARGV[i], ARGV[i + 1], ARGV[i + 2]) or CLOSED
end
if admitted then
    gate.window = window
    note(gate)
    if is_first then
        expire(gate.forget)
    end
end
return verdicts
