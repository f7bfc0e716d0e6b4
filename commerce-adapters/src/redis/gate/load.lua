-- Adds places to those a coupon is to be opened with.
-- ARGV: the fence, then of each: user, task, position, when it was given, P or I.
-- Answers whether it was this fence that closed the coupon last, and nothing was lost since.
local gate = known()
if gate.phase ~= 'closed' or gate.fence ~= tonumber(ARGV[1]) or not is_sound(gate) then
    return 0
end
for i = 2, #ARGV, 5 do
    put_new(gate, unpack(ARGV, i, i + 4))
end
note(gate)
expire(gate.forget)
return 1
