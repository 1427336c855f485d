-- Judges claims that are small numbers.
-- KEYS from the second on: pages of the round's claims.
-- ARGV[3]: the bits of a claim as a BITFIELD type, such as 'u4'.
-- ARGV[4]: the value of the highest of these bits.
-- ARGV from the fifth on: for each page '#place code' for each claim, where a code is the claim's value with the
-- highest bit set, and 0 is an empty place. Adding a code to a place that is taken overflows, which OVERFLOW FAIL
-- refuses: so the first claim counts, and only places that were claimed before are read.
-- Replies '' if all claims count, 'x' if the round is too old, else a byte for each claim: '+' it counts, '-' it is too
-- late, or 128 plus the value that counted before.
if not is_kept then return 'x' end
local bits, highest = ARGV[3], tonumber(ARGV[4])
local verdicts, claims, some_stood = {}, 0, false
for page = 2, #KEYS do
    local key, places, first = KEYS[page], {}, claims + 1
    local add, words = { 'BITFIELD', key, 'OVERFLOW', 'FAIL' }, 4
    for place, code in string.gmatch(ARGV[page + 3], '(#%d+) (%d+)') do
        claims = claims + 1
        places[claims], verdicts[claims] = place, false
        add[words + 1], add[words + 2], add[words + 3], add[words + 4] = 'INCRBY', bits, place, code
        words = words + 4
    end
    local read, read_for = { 'BITFIELD_RO', key }, {}
    local added = not is_closed and redis.call(unpack(add))
    for at = first, claims do
        if added and added[at - first + 1] then
            verdicts[at] = '+'
        else
            local words = #read
            read[words + 1], read[words + 2], read[words + 3] = 'GET', bits, places[at]
            read_for[#read_for + 1] = at
        end
    end
    if added then redis.call('PEXPIRE', key, KEPT) end
    if #read_for > 0 then
        some_stood = true
        for at, code in ipairs(redis.call(unpack(read))) do
            verdicts[read_for[at]] = code == 0 and '-' or string.char(128 + code - highest)
        end
    end
end
return some_stood and table.concat(verdicts) or ''
