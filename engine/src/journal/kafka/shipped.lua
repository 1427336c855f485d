-- Kafka has a show's records up to a number. Drops the head of a show that is over and wholly in Kafka.
-- KEYS: how far Kafka has it, its journal.  ARGV: the next number, the fence of the record before it, seconds to remember it.
-- Says whether the show is over.
redis.call('HSET', KEYS[1], 'next', ARGV[1], 'fence', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
if not redis.call('HGET', KEYS[1], 'over') then return 0 end
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
if last and last[1] == ARGV[1] .. '-0' then redis.call('DEL', KEYS[2]) end
return 1
