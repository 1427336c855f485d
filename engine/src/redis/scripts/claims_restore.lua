-- Makes these claims count, even if others counted before.
-- KEYS and ARGV are those of claims_judge.lua.
if not is_kept then return '' end
local bits = ARGV[3]
for page = 2, #KEYS do
    local set, words = { 'BITFIELD', KEYS[page] }, 2
    for place, code in string.gmatch(ARGV[page + 3], '(#%d+) (%d+)') do
        set[words + 1], set[words + 2], set[words + 3], set[words + 4] = 'SET', bits, place, code
        words = words + 4
    end
    redis.call(unpack(set))
    redis.call('PEXPIRE', KEYS[page], KEPT)
end
return ''
