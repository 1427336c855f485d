-- `now` is Redis' own time in milliseconds: leases expire by it, and the engines' clocks do not matter.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
