-- Publishes a show's events under its lease. Entries that are there already are skipped.
-- KEYS: the lease, the show's progress, its input, the events for all gateways, then the events of each gateway that
-- gets own entries.
-- ARGV: the lease's token; the number of records published after this; the acknowledged position of the input; the
-- number of the first entry; the number of entries to keep in the stream for all gateways, and in that for one; the
-- expiry of the keys in ms; whether entries before the first may be missing (0 or 1); then for each entry the index of
-- its stream in KEYS, and its messages.
-- Refusals: NOLEASE; FENCED newest; BEHIND with the number of the last entry that was published.
local published = 0
local last = redis.call('HGET', KEYS[2], 'last')
if last then
    local token, number = string.match(last, '^(%d+)-(%d+)$')
    if token == ARGV[1] then published = tonumber(number) end
end

local number = tonumber(ARGV[4])
if number > published + 1 and ARGV[8] == '0' then return redis.error_reply(string.format('BEHIND %.0f', published)) end
for at = 9, #ARGV, 2 do
    if number > published then
        local key = tonumber(ARGV[at])
        local most = key == 4 and ARGV[5] or ARGV[6]
        local id = string.format('%s-%.0f', ARGV[1], number)
        redis.call('XADD', KEYS[key], 'MAXLEN', '~', most, id, 'm', ARGV[at + 1], 'a', ARGV[3])
        published = number
    end
    number = number + 1
end

last = string.format('%s-%.0f', ARGV[1], published)
redis.call('HSET', KEYS[2], 'records', ARGV[2], 'acknowledged', ARGV[3], 'last', last)
redis.call('XTRIM', KEYS[3], 'MINID', '~', ARGV[3])
for at = 2, #KEYS do redis.call('PEXPIRE', KEYS[at], ARGV[7]) end
return 1
