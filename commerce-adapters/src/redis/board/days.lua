-- KEYS: all days. Answers each day, and 1 if it is whole.
local answer, this_run = {}, run()
local notes = redis.call('HGETALL', KEYS[1])
for i = 1, #notes, 2 do
    local note = read(notes[i + 1])
    answer[#answer + 1] = { notes[i], note.whole and note.run == this_run and 1 or 0 }
end
return answer
