-- Makes a ranking of whole days.
-- KEYS: all days, all rankings, the ranking, and the units of its days. ARGV: the day of the ranking, when it is forgotten, and its days.
local days, rankings, ranking = KEYS[1], KEYS[2], KEYS[3]
local this_run = run()
for i = 3, #ARGV do
    if not is_whole(days, ARGV[i], this_run) then
        return 0
    end
end
-- Less than nothing of what sold best: a sorted set has its smallest first, and equal ones in the order of their names.
local command = { 'ZUNIONSTORE', ranking, #KEYS - 3 }
for i = 4, #KEYS do
    command[#command + 1] = KEYS[i]
end
command[#command + 1] = 'WEIGHTS'
for _ = 4, #KEYS do
    command[#command + 1] = -1
end
local ranked = redis.call(unpack(command))
redis.call('HSET', rankings, ARGV[1], ranked)
redis.call('PEXPIREAT', ranking, ARGV[2])
return 1
