-- Begins every script about a question, after the fence. ARGV[2] is the question's number.
-- Makes the question known and deletes those that are now too old; `is_kept` and `is_closed` say what it is then.
local known = redis.call('HMGET', KEYS[1], 'newest', 'closed:' .. ARGV[2])
local question, newest = tonumber(ARGV[2]), tonumber(known[1])
if not newest or question > newest then
    redis.call('HSET', KEYS[1], 'newest', question)
    for old = newest and newest - 1 or 0, newest or -1 do
        if old < question - 1 then delete_claims(old) end
    end
    newest = question
end
local is_kept = question >= newest - 1
local is_closed = known[2]
