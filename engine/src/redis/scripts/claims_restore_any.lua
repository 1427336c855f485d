-- Makes these claims count, even if others counted before.
-- KEYS and ARGV are those of claims_judge_any.lua.
if not is_kept then return {} end
local at = 3
for page = 2, #KEYS do
    local key, last = KEYS[page], at + 2 * ARGV[at]
    while at < last do
        redis.call('HSET', key, ARGV[at + 1], ARGV[at + 2])
        at = at + 2
    end
    at = at + 1
    redis.call('PEXPIRE', key, KEPT)
end
return {}
