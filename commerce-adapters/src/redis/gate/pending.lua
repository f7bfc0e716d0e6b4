-- Pending places, oldest first, and among them those that are kept while the coupon is closed.
-- ARGV: before when they were given, how many at most.
-- Answers nothing if nobody told of the coupon; else of each 'task:user:position' and when it was given.
if redis.call('EXISTS', STATE, WAITING, KEPT) == 0 then
    return false
end
local places = {}
for _, key in ipairs({ WAITING, KEPT }) do
    for _, word in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', '(' .. ARGV[1], 'WITHSCORES', 'LIMIT', 0, ARGV[2])) do
        places[#places + 1] = word
    end
end
return places
