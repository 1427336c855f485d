-- Notes that a gateway hears the show. KEYS: the audience, what was published, what gateways say, what this one hears.
-- ARGV: the gateway, an entry that must be there if it is not dealt with, the position up to which the gateway has heard, for how many ms
-- things are kept.
-- Replies with whether the gateway was missing, what was heard and published, and whether the entry is there.
local missing = redis.call('SADD', KEYS[1], ARGV[1])
local published = redis.call('HMGET', KEYS[2], 'heard', 'last')
local found = redis.call('XRANGE', KEYS[3], ARGV[2], ARGV[2])
redis.call('XTRIM', KEYS[4], 'MINID', '~', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[3], ARGV[4])
return { missing, published[1] or '0-0', published[2] or '0-0', #found }
