-- Ends an association that has asked for too much, or lasts too long, by an A-ABORT between two of its PDUs (PS3.8 9.3.8).
--
--     filter lua.association_limits MESSAGES SECONDS
--
-- Messages are the commands that the caller sends: requests, and responses to what the archive sends it (PS3.7 6.3.1).
local HEADER = 6 -- octets: of a PDU its type, a reserved one, its length; of a PDV its length, context and control header
local P_DATA = 4 -- P-DATA-TF (PS3.8 9.3.5)
local LAST_OF_A_COMMAND = 3 -- control header of a command's last fragment (PS3.8 E.2)
local ABORT = string.char(0x07, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x02, 0x00) -- by the service-provider

local Association = {}
Association.__index = Association

-- HAProxy makes one when it reads the filter's line, and of that one another for each connection.
function Association:new()
    local association = { most = self.most, seconds = self.seconds, began = core.now().sec }
    association.messages, association.header, association.pdu, association.passing = 0, "", 0, 0
    return setmetatable(association, Association)
end

function Association:start_analyze(_, channel)
    if not channel:is_resp() then
        filter.register_data_filter(self, channel)
    end
end

local function number(text, from)
    return string.unpack(">I4", text, from)
end

function Association:understand(header)
    if self.pdu == 0 then
        local kind, length = header:byte(1), number(header, 3)
        if kind == P_DATA then
            self.pdu = length
        else
            self.passing = length
        end
    else
        local length = number(header, 1)
        self.pdu = math.max(0, self.pdu - 4 - length)
        self.passing = math.max(0, length - 2)
        if header:byte(6) % 4 == LAST_OF_A_COMMAND then
            self.messages = self.messages + 1
        end
    end
end

-- Why it has to end, if it does.
function Association:reason()
    if self.messages > self.most then
        return "too-many-messages"
    elseif core.now().sec - self.began > self.seconds then
        return "association-too-long"
    end
end

-- Follows what arrives; where a PDU begins and the association has to end, returns how much comes before it, and why.
function Association:follow(channel, size)
    local at = 0
    while at < size do
        if self.passing > 0 then
            local passed = math.min(self.passing, size - at)
            self.passing, at = self.passing - passed, at + passed
        else
            local reason = self.pdu == 0 and self.header == "" and self:reason()
            if reason then
                return at, reason
            end
            local piece = channel:data(at, math.min(HEADER - #self.header, size - at))
            self.header, at = self.header .. piece, at + #piece
            if #self.header == HEADER then
                self:understand(self.header)
                self.header = ""
            end
        end
    end
end

function Association:tcp_payload(txn, channel)
    if self.ended then
        channel:remove()
        return
    end
    local before, reason = self:follow(channel, channel:input())
    if reason then
        self.ended = true
        txn:set_var("txn.reason", reason)
        channel:remove(before)
        channel:append(ABORT)
    end
end

core.register_filter("association_limits", Association, function(association, arguments)
    association.most, association.seconds = tonumber(arguments[1]), tonumber(arguments[2])
    return association
end)
