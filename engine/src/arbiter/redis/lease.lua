-- Gives the lease. ARGV: the holder, the token that this one must be above, the term in ms.
-- Says the token, and for how long nobody had the show (-1 if that is not known).
local kept = redis.call('HMGET', KEYS[1], 'fence', 'holder', 'until', 'seen')
if kept[1] and kept[2] ~= ARGV[1] and tonumber(kept[3]) > now then
    return redis.error_reply('HELD by another engine')
end
-- The time in microseconds: a Redis that lost its memory gives no token again that it gave before.
local token = math.max(time[1] * 1000000 + time[2], ARGV[2] + 1, (kept[1] or 0) + 1)
-- Lua's numbers are whole up to 2^53.
if token >= 9007199254740992 then return redis.error_reply('NOTOKEN no token is left') end
local fence = string.format('%.0f', token)
redis.call('HSET', KEYS[1], 'fence', fence, 'holder', ARGV[1], 'until', now + ARGV[3], 'seen', now)
redis.call('PEXPIRE', KEYS[1], KEPT)
return { fence, kept[4] and math.max(now - kept[4], 0) or -1 }
