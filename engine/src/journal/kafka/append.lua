-- Writes records to a show's head, all or none, if the engine that sends them has the show.
-- KEYS: the show's lease, its journal.  ARGV: how, the caller's fence, and of each record its number, its fence, itself.
--   "check" writes nothing; "refill" lets records of older engines be written, as the head had lost them.
-- Fences are compared as text, since Lua's numbers end at 2^53.
local how, by = ARGV[1], ARGV[2]

local function less(a, b)
    if #a ~= #b then return #a < #b end
    return a < b
end

local lease = redis.call('HGET', KEYS[1], 'fence')
if not lease then return {'nolease'} end

local next, newest = 0, '0'
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local function fence_of(entry)
    for at = 1, #entry[2], 2 do
        if entry[2][at] == 'f' then return entry[2][at + 1] end
    end
    return '0'
end
if last then
    next = tonumber(string.match(last[1], '^%d+'))
    newest = fence_of(last)
end
if less(newest, lease) and how ~= 'refill' then newest = lease end
if how == 'refill' and by ~= lease then
    if less(by, lease) then return {'fenced', lease, by} end
    return {'nolease'}
end

local held = next
local writes = {}
for at = 3, #ARGV, 3 do
    local number, fence = tonumber(ARGV[at]), ARGV[at + 1]
    local written
    if number < held then
        local id = string.format('%.0f-0', number + 1)
        local entry = redis.call('XRANGE', KEYS[2], id, id)[1]
        written = entry and fence_of(entry) or '0'
    elseif number < next then
        written = writes[number - held + 1][2]
    end
    if written ~= fence then
        if less(fence, newest) then return {'fenced', newest, fence} end
        if written then return {'taken', ARGV[at], written} end
        if number > next then return {'gap', string.format('%.0f', next), ARGV[at]} end
        if less(lease, fence) then return {'nolease'} end
        newest = fence
        next = next + 1
        writes[#writes + 1] = {string.format('%.0f-0', next), fence, ARGV[at + 2]}
    end
end
if how == 'check' then return {'done'} end
for _, write in ipairs(writes) do
    redis.call('XADD', KEYS[2], write[1], 'f', write[2], 'r', write[3])
end
return {'done'}
