-- A show is over: what engines need of it may go, once Kafka has it.
-- KEYS: its lease, its journal, how far Kafka has it.  ARGV: the caller's fence, seconds that the head stays at most, seconds that
-- it is remembered to be over.
local lease, by = redis.call('HGET', KEYS[1], 'fence'), ARGV[1]
if not lease then return {'nolease'} end
if lease ~= by then
    if #by < #lease or (#by == #lease and by < lease) then return {'fenced', lease, by} end
    return {'nolease'}
end
redis.call('HSET', KEYS[3], 'over', '1')
redis.call('EXPIRE', KEYS[3], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return {'done'}
