-- Forgets what was counted of a day, unless it was cleared under a later fence.
-- KEYS: all days, and of the day: orders, units, products. ARGV: the day, the fence, a name for this call.
local note = day_note(KEYS[1], ARGV[1])
if note and note.fence > tonumber(ARGV[2]) then
    return 0
end
-- With the same name it is a call that was thought lost: what was counted since stays.
if not note or note.call ~= ARGV[3] then
    redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4])
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3] .. ' ' .. run() .. ' 0')
end
return 1
