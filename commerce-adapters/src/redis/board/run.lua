-- A server that was restarted, or has become the master only now, may not have heard of the last sales: it continues another run of writes, and a
-- day that was called whole in one run is not in the next.
local function run()
    return string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
end

-- What is noted of a day: the fence under which it was cleared last, by which call, in which run; and 1 if it is whole. Zeros if it never was cleared.
local function read(note)
    local fence, call, of_run, whole = string.match(note, '^(%d+) (%d+) (%x+) ([01])$')
    return { fence = tonumber(fence), call = call, run = of_run, whole = whole == '1' }
end

local function day_note(days, day)
    local note = redis.call('HGET', days, day)
    return note and read(note)
end

local function is_whole(days, day, this_run)
    local note = day_note(days, day)
    return note and note.whole and note.run == this_run
end
