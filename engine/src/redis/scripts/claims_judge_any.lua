-- Judges claims of any value.
-- KEYS from the second on: pages of the round's claims.
-- ARGV from the third on: for each page the number of its claims, and for each of these its field and its value.
-- Replies for each claim 1 if it counts, 0 if it is too late, or the value that counted before; an empty list if the
-- round is too old.
if not is_kept then return {} end
local verdicts, at = {}, 3
for page = 2, #KEYS do
    local key, last = KEYS[page], at + 2 * ARGV[at]
    while at < last do
        local field, value = ARGV[at + 1], ARGV[at + 2]
        at = at + 2
        if not is_closed and redis.call('HSETNX', key, field, value) == 1 then
            verdicts[#verdicts + 1] = 1
        else
            verdicts[#verdicts + 1] = redis.call('HGET', key, field) or 0
        end
    end
    at = at + 1
    if not is_closed then redis.call('PEXPIRE', key, KEPT) end
end
return verdicts
