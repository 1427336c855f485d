-- Registers a gateway's heartbeat.
-- KEYS: the registry.
-- ARGV: the gateway, for how many ms it counts as up, its URL.
-- Replies with the time and all gateways.
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f %s', now + ARGV[2], ARGV[3]))
return { string.format('%.0f', now), redis.call('HGETALL', KEYS[1]) }
