-- Grants a lock that is free.
-- KEYS: the lock. ARGV: a new token, the lease in microseconds, how long the lock is remembered in milliseconds.
-- Answers the fence of the grant, or nothing if somebody else has the lock.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local token, held_until, fence = unpack(redis.call('HMGET', KEYS[1], 'token', 'until', 'fence'))
if token and tonumber(held_until) > now then
    -- With the same token it is whoever did not hear the answer.
    return token == ARGV[1] and tonumber(fence)
end
local next_fence = math.max(now, tonumber(fence or 0) + 1)
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'until', string.format('%.0f', now + ARGV[2]), 'fence', string.format('%.0f', next_fence))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return next_fence
