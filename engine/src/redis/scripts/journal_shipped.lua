-- Stores the progress of a show's upload to Kafka. Deletes the stream of a show that has ended and is completely in
-- Kafka.
-- KEYS: the progress, the stream, what stands apart from it.
-- ARGV: the number of the next record, the token of the record before it, the expiry of the progress in seconds.
-- Replies 1 if the show has ended, else 0.
redis.call('HSET', KEYS[1], 'next', ARGV[1], 'fence', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
if not redis.call('HGET', KEYS[1], 'over') then return 0 end
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
if last and last[1] == ARGV[1] .. '-0' then redis.call('DEL', KEYS[2], KEYS[3]) end
return 1
