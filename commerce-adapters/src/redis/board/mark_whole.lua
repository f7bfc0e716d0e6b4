-- Calls a day whole, if it was cleared last under this fence and nothing was lost since.
-- KEYS: all days. ARGV: the day, the fence.
local note = day_note(KEYS[1], ARGV[1])
if not note or note.fence ~= tonumber(ARGV[2]) or note.run ~= run() then
    return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. note.call .. ' ' .. note.run .. ' 1')
return 1
