-- Frees all that is known of a question. Its claims are in the lease's slot, under names that `Keys::claims` makes too.
local function free_claims(question)
    redis.call('HDEL', KEYS[1], 'closed:' .. question)
    local pages = {}
    for page = 0, PAGES - 1 do
        pages[page + 1] = string.gsub(KEYS[1], 'lease$', 'claims:' .. question .. ':' .. page)
    end
    redis.call('UNLINK', unpack(pages))
end
