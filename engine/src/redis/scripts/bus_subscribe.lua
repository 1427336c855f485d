-- Makes a gateway a subscriber of the show.
-- KEYS: the subscribers, the show's progress, its input, the gateway's events.
-- ARGV: the gateway; the newest entry that it sent; the position up to which it has read its events; the expiry of the
-- keys in ms.
-- Replies with: whether the gateway was missing, the acknowledged position, the last entry that was published, whether
-- the newest entry that the gateway sent is in the input.
local missing = redis.call('SADD', KEYS[1], ARGV[1])
local progress = redis.call('HMGET', KEYS[2], 'acknowledged', 'last')
local found = redis.call('XRANGE', KEYS[3], ARGV[2], ARGV[2])
redis.call('XTRIM', KEYS[4], 'MINID', '~', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[3], ARGV[4])
return { missing, progress[1] or '0-0', progress[2] or '0-0', #found }
