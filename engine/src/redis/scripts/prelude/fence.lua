-- Included first in every script that needs the caller's lease.
-- KEYS[1] is the show's lease, ARGV[1] the caller's fencing token. Tokens are whole numbers below 2^53 (lease_take.lua
-- ensures that), so Lua compares them exactly.
local lease = redis.call('HGET', KEYS[1], 'fence')
if not lease then return redis.error_reply('NOLEASE the show has no lease') end
if lease ~= ARGV[1] then return redis.error_reply('FENCED ' .. lease) end
