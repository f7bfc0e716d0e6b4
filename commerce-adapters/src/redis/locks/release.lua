-- Ends those grants that are valid, and tells whoever waits for them.
-- KEYS: the locks. ARGV: the token, a name for this release, the channel of each lock.
-- Answers whether all of them were valid.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local all = 1
for i, key in ipairs(KEYS) do
    local token, held_until, released = unpack(redis.call('HMGET', key, 'token', 'until', 'released'))
    if token == ARGV[1] and tonumber(held_until) > now then
        -- The token stays: whoever comes with it from now on comes late.
        redis.call('HSET', key, 'until', 0, 'released', ARGV[2])
        redis.call('PUBLISH', ARGV[2 + i], '')
    elseif released ~= ARGV[2] then
        -- With the same name it would be whoever did not hear the answer.
        all = 0
    end
end
return all
