-- KEYS: the stream of a gateway's hosts.
-- ARGV: the number of entries to keep, the expiry of the stream in ms, the messages.
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'm', ARGV[3])
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
