-- How many places of an open coupon are given: issued, pending. Nothing while it is closed.
local gate = known()
if gate.phase ~= 'open' or not is_sound(gate) then
    return false
end
local pending = redis.call('ZCARD', WAITING)
return { gate.places - pending, pending }
