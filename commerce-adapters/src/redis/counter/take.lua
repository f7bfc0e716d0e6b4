-- Takes units if as many are left.
-- KEYS: the count, the mark of this call. ARGV: the units, how long the mark is kept in milliseconds.
-- Answers 1 if they are taken, 0 if fewer are left, -1 if nothing is known.
if redis.call('EXISTS', KEYS[2]) == 1 then
    -- It is whoever did not hear the answer.
    return 1
end
local left = redis.call('GET', KEYS[1])
if not left then
    return -1
end
if tonumber(left) < tonumber(ARGV[1]) then
    return 0
end
redis.call('DECRBY', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], '', 'PX', ARGV[2])
return 1
