-- Deletes all claims of a round, which are in the lease's slot, under the names that `Keys::claims` makes.
local function delete_claims(round)
    redis.call('HDEL', KEYS[1], 'closed:' .. round)
    local pages = {}
    for page = 0, CLAIM_PAGES - 1 do
        pages[page + 1] = string.gsub(KEYS[1], 'lease$', 'claims:' .. round .. ':' .. page)
    end
    redis.call('UNLINK', unpack(pages))
end
