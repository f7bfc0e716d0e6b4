-- Adds units to what is known.
-- KEYS: the count, the mark of this call. ARGV: the units, how long the mark is kept in milliseconds.
if redis.call('EXISTS', KEYS[1]) == 1 and redis.call('EXISTS', KEYS[2]) == 0 then
    redis.call('INCRBY', KEYS[1], ARGV[1])
    redis.call('SET', KEYS[2], '', 'PX', ARGV[2])
end
return 0
