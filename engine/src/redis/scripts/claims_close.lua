-- Closes the round: no new claim of it counts.
if is_kept then redis.call('HSET', KEYS[1], 'closed:' .. ARGV[2], 1) end
return 1
