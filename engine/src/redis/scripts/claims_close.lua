-- No new claim of the round counts from now on.
if is_kept then redis.call('HSET', KEYS[1], 'closed:' .. ARGV[2], 1) end
return 1
