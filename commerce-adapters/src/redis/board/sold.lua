-- What was sold of the products behind one.
-- KEYS: of the day: units, products. ARGV: '(' and the product, or '-'; how many at most. Answers each product and its units.
local found = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[1], '+', 'LIMIT', 0, ARGV[2])
local answer = {}
for i, product in ipairs(found) do
    answer[i] = { product, redis.call('ZSCORE', KEYS[1], product) }
end
return answer
