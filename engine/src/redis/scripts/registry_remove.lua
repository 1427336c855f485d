-- Removes a gateway that has sent no heartbeat since. KEYS: the registry. ARGV: the gateway, its last heartbeat.
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end
return 0
