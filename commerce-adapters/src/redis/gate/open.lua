-- Opens a coupon with the places that were loaded and those that were kept.
-- ARGV: the fence, the stock, when it opens or nothing, when it expires, when it is forgotten, how many kept places are added at once.
-- Answers 0 if it was not this fence that closed the coupon last, or something was lost since; 1 if it is open; 2 if more is to be added.
local gate = known()
if gate.fence ~= tonumber(ARGV[1]) or not is_sound(gate) then
    return 0
end
if gate.phase == 'open' then
    return 1
end
local stock, opens, expires, forget, at_once = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local kept = redis.call('ZRANGE', KEPT, 0, at_once - 1, 'WITHSCORES')
for i = 1, #kept, 2 do
    local task, user, position = string.match(kept[i], '^(%d+):(%d+):(%d+)$')
    put_new(gate, user, task, position, kept[i + 1], 'P')
    redis.call('ZREM', KEPT, kept[i])
end
local phase = redis.call('EXISTS', KEPT) == 1 and 'merging' or 'open'
note(gate)
redis.call('HSET', STATE, 'phase', phase, 'stock', stock, 'opens', opens, 'expires', expires, 'forget', forget)
expire(forget)
return phase == 'open' and 1 or 2
