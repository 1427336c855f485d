-- KEYS: the lease.
-- Replies 1 if no engine holds the show, 0 if one does, -1 if there is no lease.
local ends = redis.call('HGET', KEYS[1], 'until')
if not ends then return -1 end
return tonumber(ends) <= now and 1 or 0
