-- Deletes a key if it names this show. KEYS: the key. ARGV: the show.
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
