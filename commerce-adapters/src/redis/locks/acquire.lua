-- Grants locks that are free, all or none.
-- KEYS: the locks. ARGV: a new token, the lease in microseconds, how long the locks are remembered in milliseconds.
-- Answers the fences of the grants, or nothing if one of the locks is not to be had.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local fences, granted = {}, 0
for i, key in ipairs(KEYS) do
    local token, held_until, fence = unpack(redis.call('HMGET', key, 'token', 'until', 'fence'))
    fences[i] = tonumber(fence or 0)
    local is_held = token and tonumber(held_until) > now
    if is_held and token ~= ARGV[1] or token == ARGV[1] and not is_held then
        -- Somebody else has it; or this attempt was held up on the way, and what the next one with the same token was granted has ended.
        return false
    end
    if is_held then
        granted = granted + 1
    end
end
if granted == #KEYS then
    -- With the same token it is whoever did not hear the answer, and reckons the lease from this attempt.
    for _, key in ipairs(KEYS) do
        redis.call('HSET', key, 'until', string.format('%.0f', now + ARGV[2]))
    end
    return fences
end
for i, key in ipairs(KEYS) do
    fences[i] = math.max(now, fences[i] + 1)
    redis.call('HSET', key, 'token', ARGV[1], 'until', string.format('%.0f', now + ARGV[2]), 'fence', string.format('%.0f', fences[i]))
    redis.call('PEXPIRE', key, ARGV[3])
end
return fences
