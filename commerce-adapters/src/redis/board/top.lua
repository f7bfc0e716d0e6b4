-- The first products of a ranking and their units, negative; nothing if it was not made.
-- KEYS: all rankings, the ranking. ARGV: its day, how many at most.
local ranked = redis.call('HGET', KEYS[1], ARGV[1])
if not ranked or redis.call('ZCARD', KEYS[2]) ~= tonumber(ranked) then
    return false
end
return tonumber(ARGV[2]) > 0 and redis.call('ZRANGE', KEYS[2], 0, ARGV[2] - 1, 'WITHSCORES') or {}
