-- Removes a gateway unless it has sent another heartbeat.
-- KEYS: the registry.
-- ARGV: the gateway, its last known heartbeat.
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end
return 0
