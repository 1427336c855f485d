-- Whether nobody has the show: 1 if so, 0 if somebody has, -1 if nobody ever leased it as far as is known.
local ends = redis.call('HGET', KEYS[1], 'until')
if not ends then return -1 end
return tonumber(ends) <= now and 1 or 0
