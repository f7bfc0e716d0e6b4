-- Notes what became of places.
-- ARGV: of each: task, user, the position it was issued for or nothing, when it was decided.
local gate = known()
if not is_sound(gate) then
    return 0
end
for i = 1, #ARGV, 4 do
    local task, user, position, at = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
    local place = redis.call('HGET', PLACES, user)
    place = place and read(place)
    local own = place and place.task == task and place
    if gate.phase ~= 'open' then
        -- What is issued while the gate is being told may be missed by whoever tells it. What is not is settled again once it is open.
        if position ~= '' then
            put_new(gate, user, task, position, at, 'I')
        end
    elseif position ~= '' then
        put(gate, user, place, task, position, own and own.at or at, 'I')
    elseif own and own.state == 'P' then
        redis.call('HDEL', PLACES, user)
        redis.call('ZREM', WAITING, waiting(task, user, own.position))
        gate.places = gate.places - 1
        redis.call('ZADD', RETURNED, own.at, user)
        redis.call('ZREMRANGEBYSCORE', RETURNED, '-inf', string.format('%.0f', tonumber(own.at) - gate.window))
    end
end
note(gate)
expire(gate.forget)
return 1
