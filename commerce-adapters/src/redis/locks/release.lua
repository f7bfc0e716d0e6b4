-- Ends a grant that is valid.
-- KEYS: the lock. ARGV: the token, a name for this release.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local token, held_until, released = unpack(redis.call('HMGET', KEYS[1], 'token', 'until', 'released'))
if token == ARGV[1] and tonumber(held_until) > now then
    redis.call('HDEL', KEYS[1], 'token', 'until')
    redis.call('HSET', KEYS[1], 'released', ARGV[2])
    return 1
end
-- With the same name it is whoever did not hear the answer.
return released == ARGV[2] and 1 or 0
