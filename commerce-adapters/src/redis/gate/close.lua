-- Closes a coupon and keeps what is pending.
-- ARGV: the fence, how long it is remembered in milliseconds.
local gate, fence = known(), tonumber(ARGV[1])
local this_run = run()
-- The same fence twice is a call that was thought lost: what was loaded since must stay.
if gate.phase and (fence < gate.fence or (fence == gate.fence and gate.run == this_run)) then
    return 0
end
if gate.phase == 'open' and redis.call('EXISTS', WAITING) == 1 then
    redis.call('RENAME', WAITING, KEPT)
elseif gate.phase == 'merging' then
    redis.call('ZUNIONSTORE', KEPT, 2, KEPT, WAITING, 'AGGREGATE', 'MIN')
end
redis.call('UNLINK', PLACES, WAITING)
local forget = string.format('%.0f', redis.call('TIME')[1] * 1000 + ARGV[2])
redis.call('HSET', STATE, 'phase', 'closed', 'fence', ARGV[1], 'run', this_run, 'places', 0, 'forget', forget)
expire(forget)
return 1
