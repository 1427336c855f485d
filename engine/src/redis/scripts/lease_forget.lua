-- Deletes the show's lease and claims.
local newest = tonumber(redis.call('HGET', KEYS[1], 'newest'))
if newest then
    delete_claims(newest - 1)
    delete_claims(newest)
end
redis.call('DEL', KEYS[1])
return 1
