-- The show has ended: its stream may go once Kafka has it.
-- KEYS: the lease, the stream, how far Kafka has it. ARGV: the caller's token, seconds that the stream stays at most, seconds that the
-- end is remembered.
redis.call('HSET', KEYS[3], 'over', '1')
redis.call('EXPIRE', KEYS[3], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return 1
