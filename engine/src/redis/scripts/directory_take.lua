-- Sets a key unless it has another value.
-- KEYS: the key.
-- ARGV: the value; another value that may be replaced; the expiry in ms.
-- Replies with the key's value now, and its remaining expiry in ms.
local holder = redis.call('GET', KEYS[1])
if not holder or holder == ARGV[1] or holder == ARGV[2] then
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
    return { ARGV[1], ARGV[3] }
end
return { holder, tostring(redis.call('PTTL', KEYS[1])) }
