-- Appends records to a show's stream, all or none, if the caller has the lease.
-- KEYS: the lease, the stream, what stands apart from it.
-- ARGV: the mode, the caller's token, then for each record its number, its token, its bytes, and what stands apart from it (empty if
-- nothing does).
-- Modes: 'append' writes the records; 'check' only checks whether they would be written; 'refill' also takes records of
-- earlier engines, which the stream lost.
-- Refusals: NOLEASE; FENCED newest found; TAKEN number token; GAP expected found.
local lease = tonumber(redis.call('HGET', KEYS[1], 'fence') or '')
if not lease then return redis.error_reply('NOLEASE the show has no lease') end
local how, caller = ARGV[1], tonumber(ARGV[2])
if how == 'refill' and caller ~= lease then
    if caller < lease then return redis.error_reply(string.format('FENCED %.0f %.0f', lease, caller)) end
    return redis.error_reply('NOLEASE the lease is an older one')
end

local function token_of(entry)
    for at = 1, #entry[2], 2 do
        if entry[2][at] == 'f' then return tonumber(entry[2][at + 1]) end
    end
    return 0
end

local next, newest = 0, 0
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
if last then
    next = tonumber(string.match(last[1], '^%d+'))
    newest = token_of(last)
end
if how ~= 'refill' then newest = math.max(newest, lease) end

local in_stream = next
local writes = {}
for at = 3, #ARGV, 4 do
    local number, token = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
    local written
    if number < in_stream then
        local id = string.format('%.0f-0', number + 1)
        local entry = redis.call('XRANGE', KEYS[2], id, id)[1]
        written = entry and token_of(entry) or 0
    elseif number < next then
        written = writes[number - in_stream + 1].token
    end
    if written ~= token then
        if token < newest then return redis.error_reply(string.format('FENCED %.0f %.0f', newest, token)) end
        if written then return redis.error_reply(string.format('TAKEN %.0f %.0f', number, written)) end
        if number > next then return redis.error_reply(string.format('GAP %.0f %.0f', next, number)) end
        if lease < token then return redis.error_reply('NOLEASE the lease is an older one') end
        newest = token
        next = next + 1
        local id, name = string.format('%.0f-0', next), string.format('%.0f', number)
        writes[#writes + 1] = { id = id, number = name, token = token, bytes = ARGV[at + 2], person = ARGV[at + 3] }
    end
end
if how == 'check' then return 1 end
for _, write in ipairs(writes) do
    local token = string.format('%.0f', write.token)
    if write.person ~= '' then redis.call('HSET', KEYS[3], write.number .. '-' .. token, write.person) end
    redis.call('XADD', KEYS[2], write.id, 'f', token, 'r', write.bytes)
end
return 1
