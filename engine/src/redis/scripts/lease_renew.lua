-- Begins a new term. ARGV[2]: its length in ms.
redis.call('HSET', KEYS[1], 'until', now + ARGV[2], 'seen', now)
redis.call('PEXPIRE', KEYS[1], KEPT)
return 1
