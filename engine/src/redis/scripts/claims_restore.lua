-- Makes claims count, whatever was claimed before. KEYS and ARGV are those of claims_judge.lua.
if not is_kept then return '' end
for page = 2, #KEYS do
    local set, words = { 'BITFIELD', KEYS[page] }, 2
    for seat, code in string.gmatch(ARGV[page + 1], '(#%d+) (%d+)') do
        set[words + 1], set[words + 2], set[words + 3], set[words + 4] = 'SET', 'u4', seat, code
        words = words + 4
    end
    redis.call(unpack(set))
    redis.call('PEXPIRE', KEYS[page], KEPT)
end
return ''
