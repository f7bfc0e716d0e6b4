-- Prolongs grants if all of them are valid.
-- KEYS: the locks. ARGV: the token, the lease in microseconds.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
for _, key in ipairs(KEYS) do
    local token, held_until = unpack(redis.call('HMGET', key, 'token', 'until'))
    if token ~= ARGV[1] or tonumber(held_until) <= now then
        return 0
    end
end
for _, key in ipairs(KEYS) do
    redis.call('HSET', key, 'until', string.format('%.0f', now + ARGV[2]))
end
return 1
