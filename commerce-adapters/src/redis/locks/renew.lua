-- Prolongs a grant that is valid.
-- KEYS: the lock. ARGV: the token, the lease in microseconds.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local token, held_until = unpack(redis.call('HMGET', KEYS[1], 'token', 'until'))
if token ~= ARGV[1] or tonumber(held_until) <= now then
    return 0
end
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', now + ARGV[2]))
return 1
