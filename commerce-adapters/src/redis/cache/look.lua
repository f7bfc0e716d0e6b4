-- What is kept under the key ('V' and the value), or 'G' if the right ARGV[1] is granted for ARGV[2] milliseconds, or 'T' if another one is.
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, 1) == 'V' then
  return held
end
if not held then
  redis.call('SET', KEYS[1], 'R' .. ARGV[1], 'PX', ARGV[2])
  return 'G'
end
-- The same look comes again when its answer was lost.
if held == 'R' .. ARGV[1] then
  return 'G'
end
return 'T'
