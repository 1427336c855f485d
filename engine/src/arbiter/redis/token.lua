-- Begins every script that works under a lease: KEYS[1] is the lease, ARGV[1] the token.
local fence = redis.call('HGET', KEYS[1], 'fence')
if not fence then return redis.error_reply('NOLEASE the show has none') end
if fence ~= ARGV[1] then return redis.error_reply('FENCED ' .. fence) end
