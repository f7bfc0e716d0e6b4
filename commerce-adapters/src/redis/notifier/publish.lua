-- Publishes, in this order.
-- KEYS: one that decides which server of a Cluster does it. ARGV: of each notification: the channel, the payload.
for i = 1, #ARGV, 2 do
    redis.call('PUBLISH', ARGV[i], ARGV[i + 1])
end
