-- Keeps the value ARGV[2] for ARGV[3] milliseconds if the right ARGV[1] is valid.
if redis.call('GET', KEYS[1]) == 'R' .. ARGV[1] then
  redis.call('SET', KEYS[1], 'V' .. ARGV[2], 'PX', ARGV[3])
end
