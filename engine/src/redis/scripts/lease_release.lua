-- Ends the term now.
redis.call('HSET', KEYS[1], 'until', 0, 'seen', now)
return 1
