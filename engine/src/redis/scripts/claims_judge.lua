-- Judges claims. KEYS from the second on: pages of the question's claims. ARGV from the third on: for each page '#seat code' for
-- each claim. A code is 8 + choice, in four bits, and no claim is 0. So adding a code to a seat that has one overflows, which
-- FAIL refuses: the first counts, and nothing is read that was not claimed before.
-- Replies '' if all count, 'x' if the question is too old, else a letter for each claim: '+' counts, '-' is too late, or the choice
-- that counted before.
if not is_kept then return 'x' end
local verdicts, claims, some_stood = {}, 0, false
for page = 2, #KEYS do
    local key, seats, first = KEYS[page], {}, claims + 1
    local add, words = { 'BITFIELD', key, 'OVERFLOW', 'FAIL' }, 4
    for seat, code in string.gmatch(ARGV[page + 1], '(#%d+) (%d+)') do
        claims = claims + 1
        seats[claims], verdicts[claims] = seat, false
        add[words + 1], add[words + 2], add[words + 3], add[words + 4] = 'INCRBY', 'u4', seat, code
        words = words + 4
    end
    local read, read_for = { 'BITFIELD_RO', key }, {}
    local added = not is_closed and redis.call(unpack(add))
    for at = first, claims do
        if added and added[at - first + 1] then
            verdicts[at] = '+'
        else
            local words = #read
            read[words + 1], read[words + 2], read[words + 3] = 'GET', 'u4', seats[at]
            read_for[#read_for + 1] = at
        end
    end
    if added then redis.call('PEXPIRE', key, KEPT) end
    if #read_for > 0 then
        some_stood = true
        for at, code in ipairs(redis.call(unpack(read))) do
            verdicts[read_for[at]] = code == 0 and '-' or tostring(code - 8)
        end
    end
end
return some_stood and table.concat(verdicts) or ''
