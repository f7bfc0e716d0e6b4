-- Ends the right ARGV[1] if it is valid.
if redis.call('GET', KEYS[1]) == 'R' .. ARGV[1] then
  redis.call('DEL', KEYS[1])
end
