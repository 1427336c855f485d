-- `now` is Redis' own time in milliseconds: it decides when a lease ends, whatever the engines' clocks say.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
