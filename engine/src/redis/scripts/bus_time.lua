-- The time at the node that has KEYS[1]: all processes ask the same node. Replies with seconds and microseconds.
return redis.call('TIME')
