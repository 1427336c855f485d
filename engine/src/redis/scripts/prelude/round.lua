-- Included in every script about a round, after the fence.
-- ARGV[2] is the round's number. Registers the round and deletes rounds that are too old; sets `is_kept` and
-- `is_closed` for this one.
local known = redis.call('HMGET', KEYS[1], 'newest', 'closed:' .. ARGV[2])
local round, newest = tonumber(ARGV[2]), tonumber(known[1])
if not newest or round > newest then
    redis.call('HSET', KEYS[1], 'newest', round)
    for old = newest and newest - 1 or 0, newest or -1 do
        if old < round - 1 then delete_claims(old) end
    end
    newest = round
end
local is_kept = round >= newest - 1
local is_closed = known[2]
