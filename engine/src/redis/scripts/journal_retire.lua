-- Marks the show as ended: its stream may be deleted once Kafka has it.
-- KEYS: the lease, the stream, the progress of the upload, what stands apart from the stream.
-- ARGV: the caller's token, the expiry of the stream in seconds, the expiry of the progress in seconds.
redis.call('HSET', KEYS[3], 'over', '1')
redis.call('EXPIRE', KEYS[3], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[2])
redis.call('EXPIRE', KEYS[4], ARGV[2])
return 1
