-- Publishes what came of a show's turns, under its lease. Entries that were published before are passed over.
-- KEYS: the lease, what was published, what gateways say, what all hear, then what each of some gateways hears.
-- ARGV: the lease's token, how many records are published with this, the position up to which gateways were heard, the number of the
-- first entry, how many entries the stream for all and that for one gateway keep, for how many ms, whether entries before the first
-- may be missing, then for each entry: which of KEYS, and its messages.
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
        redis.call('XADD', KEYS[key], 'MAXLEN', '~', most, id, 'm', ARGV[at + 1], 'h', ARGV[3])
        published = number
    end
    number = number + 1
end

redis.call('HSET', KEYS[2], 'records', ARGV[2], 'heard', ARGV[3], 'last', string.format('%s-%.0f', ARGV[1], published))
redis.call('XTRIM', KEYS[3], 'MINID', '~', ARGV[3])
for at = 2, #KEYS do redis.call('PEXPIRE', KEYS[at], ARGV[7]) end
return 1
