-- Forgets a day or a ranking.
-- KEYS: all of them, then its own. ARGV: its day.
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('UNLINK', unpack(KEYS, 2))
