-- Frees the show's lease and claims.
local newest = tonumber(redis.call('HGET', KEYS[1], 'newest'))
if newest then
    free_claims(newest - 1)
    free_claims(newest)
end
redis.call('DEL', KEYS[1])
return 1
