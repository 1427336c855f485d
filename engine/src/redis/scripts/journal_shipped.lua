-- Kafka has a show's records up to a number. Deletes the stream of a show that has ended and is wholly in Kafka.
-- KEYS: how far Kafka has it, the stream. ARGV: the next number, the token of the record before it, seconds to remember it.
-- Replies 1 if the show has ended, else 0.
redis.call('HSET', KEYS[1], 'next', ARGV[1], 'fence', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
if not redis.call('HGET', KEYS[1], 'over') then return 0 end
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
if last and last[1] == ARGV[1] .. '-0' then redis.call('DEL', KEYS[2]) end
return 1
