-- Takes the lease.
-- KEYS: the lease.
-- ARGV: the holder, a lower bound for the new token (exclusive), the term in ms.
-- Replies with the new token, and for how many ms no engine held the show (-1 if unknown).
local lease = redis.call('HMGET', KEYS[1], 'fence', 'holder', 'until', 'seen')
if lease[1] and lease[2] ~= ARGV[1] and tonumber(lease[3]) > now then
    return redis.error_reply('HELD another engine has the lease')
end
-- At least the time in microseconds, so that a Redis that lost its data does not reuse a token.
local token = math.max(time[1] * 1000000 + time[2], ARGV[2] + 1, (lease[1] or 0) + 1)
if token >= 9007199254740992 then return redis.error_reply('NOTOKEN no token is left below 2^53') end
local fence = string.format('%.0f', token)
redis.call('HSET', KEYS[1], 'fence', fence, 'holder', ARGV[1], 'until', now + ARGV[3], 'seen', now)
redis.call('PEXPIRE', KEYS[1], KEPT)
return { fence, lease[4] and math.max(now - lease[4], 0) or -1 }
