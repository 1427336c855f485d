-- Takes a gateway out that has said nothing since. KEYS: the registry. ARGV: the gateway, what it said last.
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end
return 0
