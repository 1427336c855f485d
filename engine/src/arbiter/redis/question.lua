-- Begins every script about a question: KEYS[1] is the lease, ARGV the token and the question.
-- Makes the question known and frees those that this makes too old; `is_kept` and `is_closed` say what it is then.
local kept = redis.call('HMGET', KEYS[1], 'fence', 'newest', 'closed:' .. ARGV[2])
if not kept[1] then return redis.error_reply('NOLEASE the show has none') end
if kept[1] ~= ARGV[1] then return redis.error_reply('FENCED ' .. kept[1]) end
local question, newest = tonumber(ARGV[2]), tonumber(kept[2])
if not newest or question > newest then
    redis.call('HSET', KEYS[1], 'newest', question)
    for old = newest and newest - 1 or 0, newest or -1 do
        if old < question - 1 then free_claims(old) end
    end
    newest = question
end
local is_kept = question >= newest - 1
local is_closed = kept[3]
