-- Redis' own time judges terms, whatever the engines' clocks say. In milliseconds.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
