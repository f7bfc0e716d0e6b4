-- Counts sales of a day, each in one step.
-- KEYS: all days, and of the day: orders, units, products. ARGV: the day, when it is forgotten, then of each sale: order, P or R, how many products,
-- and of each of them: product, units.
local days, orders, units, products = unpack(KEYS)
redis.call('HSETNX', days, ARGV[1], '0 0 0 0')
local i = 3
while i <= #ARGV do
    local order, state, count = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
    local known = redis.call('HGET', orders, order)
    local sign = 0
    if not known then
        sign = state == 'P' and 1 or 0
        redis.call('HSET', orders, order, state)
    elseif known == 'P' and state == 'R' then
        sign = -1
        redis.call('HSET', orders, order, state)
    end
    i = i + 3
    for at = i, i + 2 * count - 2, 2 do
        if sign ~= 0 then
            local sold = tonumber(redis.call('ZINCRBY', units, sign * tonumber(ARGV[at + 1]), ARGV[at]))
            if sold <= 0 then
                redis.call('ZREM', units, ARGV[at])
                redis.call('ZREM', products, ARGV[at])
            else
                redis.call('ZADD', products, 0, ARGV[at])
            end
        end
    end
    i = i + 2 * count
end
for _, key in ipairs({ orders, units, products }) do
    redis.call('PEXPIREAT', key, ARGV[2])
end
