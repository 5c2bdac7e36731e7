-- Answers an association request whose calling AE title is not the certificate's own with an A-ASSOCIATE-RJ
-- (PS3.8 9.3.4): rejected-permanent (1), by the service-user (1), calling-AE-title-not-recognized (3).
local refusal = string.char(0x03, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x01, 0x01, 0x03)

core.register_service("refuse_association", "tcp", function(applet)
    applet:send(refusal)
end)
