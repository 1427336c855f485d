-- Says what came of a show's turns, if the lease is still the engine's. What was said before is not said again.
-- KEYS: the lease, what was said, what gateways say, what all hear, then what each of some gateways hears.
-- ARGV: the lease's token, how many records are said with this, up to where gateways were heard, the number of the first entry,
-- how many entries the stream for all and that for one gateway keep, for how many milliseconds, whether entries before the first
-- may be missing, then for each entry: which of KEYS, and its messages.
local held = redis.call('HGET', KEYS[1], 'fence')
if not held then return 'no lease' end
if tonumber(held) > tonumber(ARGV[1]) then return 'fenced' end
if held ~= ARGV[1] then return 'no lease' end

local said = 0
local last = redis.call('HGET', KEYS[2], 'last')
if last then
  local fence, number = string.match(last, '^(%d+)-(%d+)$')
  if fence == ARGV[1] then said = tonumber(number) end
end

local number = tonumber(ARGV[4])
if number > said + 1 and ARGV[8] == '0' then return string.format('behind %.0f', said) end
for i = 9, #ARGV, 2 do
  if number > said then
    local key = tonumber(ARGV[i])
    local most = key == 4 and ARGV[5] or ARGV[6]
    local id = string.format('%s-%.0f', ARGV[1], number)
    redis.call('XADD', KEYS[key], 'MAXLEN', '~', most, id, 'm', ARGV[i + 1], 'h', ARGV[3])
    said = number
  end
  number = number + 1
end

redis.call('HSET', KEYS[2], 'records', ARGV[2], 'heard', ARGV[3], 'last', string.format('%s-%.0f', ARGV[1], said))
redis.call('XTRIM', KEYS[3], 'MINID', '~', ARGV[3])
for i = 2, #KEYS do redis.call('PEXPIRE', KEYS[i], ARGV[7]) end
return 'said'
