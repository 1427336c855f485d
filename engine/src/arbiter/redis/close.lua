-- Lets no new claim of the question count.
if is_kept then redis.call('HSET', KEYS[1], 'closed:' .. ARGV[2], 1) end
return 1
