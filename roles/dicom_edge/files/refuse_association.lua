-- Answers an association request that the edge refuses with an A-ASSOCIATE-RJ (PS3.8 9.3.4).
local function refusal(result, source, reason)
    return string.char(0x03, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, result, source, reason)
end

-- rejected-transient, by the service-provider (presentation related), local-limit-exceeded
local busy = refusal(2, 3, 2)
-- rejected-permanent, by the service-user, calling-AE-title-not-recognized
local stranger = refusal(1, 1, 3)
-- rejected-permanent, by the service-user, no-reason-given
local malformed = refusal(1, 1, 1)

core.register_service("refuse_association", "tcp", function(applet)
    local reason = applet:get_var("txn.reason")
    if reason == "too-many-associations" then
        applet:send(busy)
    elseif reason == "ae-title" then
        applet:send(malformed)
    else
        applet:send(stranger)
    end
end)
