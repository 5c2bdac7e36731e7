"""Why something did not succeed: every word that ``reason`` can have."""

from __future__ import annotations

from simulators.events.vocabulary import Outcome, Reason


def _refused(word: str, means: str) -> Reason:
    return Reason(word, means, Outcome.REFUSED)


def _failed(word: str, means: str) -> Reason:
    return Reason(word, means, Outcome.FAILED)


# Who calls, and from where
NO_FLOW = _refused("no-flow", "no flow lets this source call that service")
OTHER_ACCOUNT = _refused(
    "other-account", "a program of this host's whose account may not open that service over loopback"
)
OUTSIDE_SITE = _refused("outside-site", "the target is no address of the site")
FOREIGN_FRAME = _refused(
    "foreign-frame", "the frame claims a MAC or IPv4 address of another host, or is neither IPv4 nor ARP"
)
FORGED_SOURCE = _refused("forged-source", "the packet's source address does not lie where the packet comes from")
TOO_MANY_CONNECTIONS = _refused("too-many-connections", "more connections than are allowed at once, or too fast")
TOO_MANY_ASSOCIATIONS = _refused("too-many-associations", "more DICOM associations at once than a peer may have")
TOO_MANY_MESSAGES = _refused("too-many-messages", "one DICOM association asks for more than a caller may in one")
ASSOCIATION_TOO_LONG = _refused("association-too-long", "one DICOM association lasts longer than any may")
NO_CERTIFICATE = _refused("no-certificate", "the caller presents no certificate")
CERTIFICATE_REFUSED = _refused("certificate-refused", "the certificate is foreign, expired or revoked")
NOT_TLS = _refused("not-tls", "what the caller sends is not TLS")
OLD_TLS = _refused("old-tls", "the caller offers no TLS version that is allowed")
WEAK_TLS = _refused("weak-tls", "the caller offers no cipher suite that is allowed")
EDGE_NOT_TRUSTED = _refused("edge-not-trusted", "the caller does not accept the edge's certificate")
TLS_ERROR = _refused("tls-error", "the TLS handshake ended otherwise; `detail` says how")
WRONG_PROFILE = _refused("wrong-profile", "the certificate is for another purpose")
PERMISSION_CHANGED = _refused("permission-changed", "the flow says something else than when the connection was opened")
UNLISTED = _refused("unlisted", "no flow lets the certificate's owner call here")
ADDRESS_MISMATCH = _refused("address-mismatch", "the certificate belongs to another address")
AE_MISMATCH = _refused("ae-mismatch", "the certificate belongs to another AE title")
AE_TITLE = _refused("ae-title", "an AE title is empty, or has a character that it may not have (PS3.5 6.2)")
NOT_DICOM = _refused("not-dicom", "what the caller sends is no association request")
NOT_MLLP = _refused("not-mllp", "what the caller sends does not begin an HL7 message")
TOO_FAST = _refused("too-fast", "more requests in a time than a peer may make")
UNEXPECTED_BODY = _refused("unexpected-body", "a request that reads has a body")
OTHER_METHOD = _refused("other-method", "a header asks that the request be taken for one of another method")
QUERY = _refused("query", "a word of the query does not have the form of PS3.18 8.3.4")
HEAD_TOO_LONG = _refused("head-too-long", "the request's head is longer than it may be")
NO_LENGTH = _refused("no-length", "the request does not say how long its body is")
OVERSIZED = _refused("oversized", "the request's body is longer than it may be")
BROKEN_OFF = _failed("broken-off", "the service behind the edge ended the connection, or did not answer in time")
CALLER_LEFT = _failed("caller-left", "the caller was gone before it was answered")
EDGE_FAILED = _failed("edge-failed", "the edge itself ended the connection: out of resources, stopped, or by command")
TIMEOUT = _refused("timeout", "the caller is connected and says nothing in time, or does not end what it began")
ASSOCIATION_REJECTED = _refused("association-rejected", "the AE titles are not accepted (A-ASSOCIATE-RJ, PS3.8 9.3.4)")
TLS_REFUSED = _refused("tls-refused", "one side does not accept the other's certificate, TLS version or cipher suite")

# People at the viewer
NOT_SIGNED_IN = _refused("not-signed-in", "nobody is signed in")
ROLE = _refused("role", "none of the person's roles may do this")
OWN_REQUEST = _refused("own-request", "whoever asks for a rejection does not decide on it")
NO_RELATION = _refused("no-relation", "the person does not treat the patient, nor does the person's department")
RELATION_UNKNOWN = _failed("relation-unknown", "a system that knows whom the person treats does not answer: denied")
ARCHIVE_SILENT = _failed("archive-silent", "no archive that answers has the study, and another does not answer")
OTHER_SITE = _refused("other-site", "the request was started by a page of another site")
NO_RESOURCE = _refused("no-resource", "no such page, or no resource of DICOMweb that passes")
OTHER_BROWSER = _refused("other-browser", "the session began in another browser, or at another address")
TOO_MANY_EMERGENCIES = _refused("too-many-emergencies", "the person sees as many patients in emergency as allowed")

# The directory of people
WRONG_PASSWORD = _refused("wrong-password", "the password is not the account's")
UNKNOWN_ACCOUNT = _refused("unknown-account", "there is no such account")
ACCOUNT_LOCKED = _refused("account-locked", "the account is locked after too many wrong passwords")
ACCOUNT_DISABLED = _refused("account-disabled", "the account is disabled: its owner has gone, or nobody needs it")
PASSWORD_EXPIRED = _refused("password-expired", "the password has to be changed first")
ACCOUNT_RESTRICTED = _refused("account-restricted", "the directory refuses the sign-in otherwise; `status` says how")
INSUFFICIENT_RIGHTS = _refused("insufficient-rights", "whoever asks may not change that in the directory")

# Sign-on of people
TOO_MANY_ATTEMPTS = _refused("too-many-attempts", "after failed attempts the person has to wait")
MALFORMED_NAME = _refused("malformed-name", "what was typed cannot be a name to sign in with")
NO_SECOND_FACTOR = _refused("no-second-factor", "the person has no second factor that was enrolled")
WRONG_CODE = _refused("wrong-code", "the one-time password is not the current one")
USED_CODE = _refused("used-code", "the one-time password, or a later one, was used before (RFC 6238 5.2)")
WRONG_KEY = _refused(
    "wrong-key", "the security key's answer is not the enrolled key's, or is no answer to this challenge"
)
EXPIRED_FORM = _refused("expired-form", "the page was open for too long, or was sent before")
UNKNOWN_APPLICATION = _refused("unknown-application", "no host of that name is an application of the sign-on")
FOREIGN_REDIRECT = _refused(
    "foreign-redirect", "the browser would be sent to an address that the application does not state"
)
NO_PROOF_KEY = _refused("no-proof-key", "the application sends no hashed proof key (RFC 7636)")
INVALID_REQUEST = _refused("invalid-request", "the application's request is not what OpenID Connect has it be")
BAD_SIGNATURE = _refused("bad-signature", "what a partner's sign-on states does not have the partner's signature")
FOREIGN_ANSWER = _refused("foreign-answer", "what came is no statement of a partner that is trusted (SAML 2.0)")
OTHER_CONDITIONS = _refused("other-conditions", "a partner's statement is for another recipient, or another time")
UNASKED_ANSWER = _refused("unasked-answer", "a partner's statement answers no question")
USED_ANSWER = _refused("used-answer", "a partner's statement was used before, or what it answers was asked long ago")
PARTNER_CUT = _refused("partner-cut", "the partner whose people these are is trusted no more")
OTHER_NAME = _refused("other-name", "the request is for a host of another name")
REFUSED_BY_APPLICATION = _refused("refused-by-application", "what the web server stands before says no")

# HL7 messages (docs/simulators.md has what is answered to each)
FRAMING = _refused("framing", "no MLLP frame, too long a message, or no PROXY header")
MALFORMED = _refused("malformed", "not UTF-8, a control character, or no HL7 version 2; at an edge: no HTTP")
UNLISTED_SENDER = _refused("unlisted-sender", "no flow lets the certificate's owner send messages here")
SENDER_MISMATCH = _refused("sender-mismatch", "MSH-3 and MSH-4 are not the certificate's")
WRONG_RECEIVER = _refused("wrong-receiver", "MSH-5 and MSH-6 are another application")
VERSION = _refused("version", "MSH-12 is another version")
PROCESSING_ID = _refused("processing-id", "MSH-11 is not P")
CONTROL_ID = _refused("control-id", "MSH-10 is missing or no control id")
DUPLICATE_CONTROL_ID = _refused("duplicate-control-id", "MSH-10 came before from this sender, with other content")
MESSAGE_TYPE = _refused("message-type", "the application takes no such message")
SEGMENTS = _refused("segments", "other segments than the message type has")
CONTENT = _refused("content", "a field has a value that cannot be used")
ORDER_CONTROL = _refused("order-control", "ORC-1 asks for something that is not done here")
ORDER_STATUS = _refused("order-status", "ORC-5 with OBR-25 means nothing here")

# Patients, orders and procedures
UNKNOWN_PATIENT = _refused("unknown-patient", "the patient is not registered")
OTHER_PATIENT = _refused("other-patient", "the patient is not the order's, or the identifier is another's")
MERGED_PATIENT = _refused("merged-patient", "the identifier was merged into another")
MERGE_INTO_ITSELF = _refused("merge-into-itself", "a patient is not merged into itself")
OTHER_AUTHORITY = _refused("other-authority", "identifiers of two authorities are not merged")
UNKNOWN_ORDER = _refused("unknown-order", "there is no such order")
DUPLICATE_ORDER = _refused("duplicate-order", "the placer order number is known")
UNKNOWN_ACCESSION = _refused("unknown-accession", "there is no such accession number")
OTHER_STUDY = _refused("other-study", "the Study Instance UID is not the procedure's")
NO_STATION = _refused("no-station", "no station performs the modality")
TOO_LATE = _refused("too-late", "the procedure has begun or ended")
NOT_PERFORMED = _refused("not-performed", "the procedure has no images yet")
REPORTED = _refused("reported", "a preliminary report does not replace a final one, nor a final one its correction")

# DICOM services
NOT_PERMITTED = _refused("not-permitted", "no flow permits the caller this operation")
IDENTIFIER = _refused("identifier", "the query's identifier lacks what it needs (PS3.4 K.4.1.1.4: 0xA900)")
TOO_MANY_ANSWERS = _refused(
    "too-many-answers", "more match than one query is answered; those beyond are left out (0xA700)"
)
FOREIGN_WORKLIST = _refused("foreign-worklist", "a station asks for another station's worklist")
FOREIGN_AVAILABILITY = _refused("foreign-availability", "an archive tells what another one has (0x0124)")
OTHER_STATION = _refused("other-station", "the step is another station's (0x0124)")
FINAL_STATE = _refused("final-state", "the step is completed or discontinued, which is final (0x0110 with 0xA710)")
DUPLICATE_INSTANCE = _refused("duplicate-instance", "there is such a step already (0x0111)")
UNKNOWN_INSTANCE = _refused("unknown-instance", "there is no such step (0x0112)")
INVALID_INSTANCE = _refused("invalid-instance", "the SOP Instance UID is missing or none (0x0117)")
ATTRIBUTE_VALUE = _refused("attribute-value", "an attribute has a value that it may not have (0x0106, 0x0121)")
MISSING_ATTRIBUTE = _refused("missing-attribute", "an attribute is missing (0x0120)")
FIXED_ATTRIBUTE = _refused("fixed-attribute", "an attribute is set that may not be changed (0x0105)")
NOT_STORAGE_COMMITMENT = _refused("not-storage-commitment", "an event report of another SOP class")
UNKNOWN_COMMITMENT = _refused("unknown-commitment", "no storage commitment of that Transaction UID was asked for")
COMMITMENT_ANSWERED = _refused("commitment-answered", "the storage commitment was answered before")
OTHER_ARCHIVE = _refused("other-archive", "another archive was asked for the storage commitment")
UNKNOWN_EVENT_TYPE = _refused("unknown-event-type", "an Event Type ID that storage commitment does not have")
REPORT_MISMATCH = _refused("report-mismatch", "the report names other instances than were asked about")
NOT_COMMITTED = _refused("not-committed", "the archive does not answer for all instances")
UNSAFE_OBJECT = _refused("unsafe-object", "an object came that was not asked for, or whose UIDs cannot be used")
UNREADABLE_OBJECT = _refused("unreadable-object", "an object's elements do not follow PS3.5, or are deflated (0xC100)")
INVALID_IDENTIFIER = _refused(
    "invalid-identifier", "an object does not name patient, study, series and itself, or a UID is none (0xC101)"
)
ATTRIBUTE_TYPE = _refused("attribute-type", "an attribute has another VR than PS3.6 gives it (0xC102)")
ATTRIBUTE_TEXT = _refused(
    "attribute-text", "a text is too long, or holds what is not seen or turns the order of others (0xC103)"
)
OBJECT_TOO_LARGE = _refused("object-too-large", "an object is longer than one may be (0xC104)")
DECODED_TOO_LARGE = _refused("decoded-too-large", "an object's pixels, decoded, are more than they may be (0xC105)")
INSTANCE_CONFLICT = _refused(
    "instance-conflict", "the SOP Instance UID is that of an object with other content, or elsewhere (0xC111)"
)
SERIES_CONFLICT = _refused("series-conflict", "the Series Instance UID is that of a series of another study (0xC112)")
STUDY_CONFLICT = _refused("study-conflict", "the Study Instance UID is that of another patient's study (0xC113)")
UNSCHEDULED = _refused("unscheduled", "nobody has announced the study, and the archive has nothing of it")
OTHER_ACCESSION = _refused("other-accession", "the accession number is not that of the study's procedure")
CANCELLED_PROCEDURE = _refused("cancelled-procedure", "the procedure was cancelled")
WRONG_WORKLIST_ENTRY = _refused(
    "wrong-worklist-entry", "the procedure step was discontinued because another worklist entry was meant (110514)"
)
REJECTED_IMAGE = _refused("rejected-image", "the object was rejected by a rejection note (RAD-66)")
REJECTION_NOTE = _refused(
    "rejection-note", "the object says which others were rejected, so it is kept where they are (RAD-66)"
)
DESK_AWAY = _failed("desk-away", "the image manager does not answer, so nothing is let in (0xA700)")
OTHER_USER = _refused("other-user", "a program of another user asks")
STORAGE_FULL = _refused("storage-full", "the archive holds what it may, or its disk has no room left (0xA700)")
STORAGE_FILLING = _failed("storage-filling", "the archive holds nine tenths of what it may, or its disk is nearly full")
NO_ROOM = _refused("no-room", "the disk has no room for more")
NOT_STORED = _refused("not-stored", "the archive answers C-STORE with a failure status")

# Revocation lists
NOT_SIGNED = _refused("not-signed", "a revocation list is not signed by a CA of the site, or is incomplete")
NOT_A_LIST = _refused("not-a-list", "the file of revocation lists holds something else, or a list twice")
OLDER_LIST = _refused("older-list", "a revocation list is older than the one at hand, or is missing")
OVERSIZED_LIST = _refused("oversized-list", "the file of revocation lists is larger than it may be")
EXPIRED_LIST = _refused("expired-list", "a revocation list has run out")

# What a program that asks meets
REFUSED_BY_PEER = _refused("refused-by-peer", "the peer understood and said no")
NOT_FOUND = _failed("not-found", "what is named does not exist")
ARGUMENT = _failed("argument", "an argument has a value that cannot be used")
UNREACHABLE = _failed("unreachable", "no connection to the peer, or it ended without an answer")
NO_ANSWER = _failed("no-answer", "the peer did not answer in time")
NOT_READY = _failed("not-ready", "the host lacks settings, a certificate, its user or its database")
SEND_AGAIN = _failed("send-again", "the peer could not process it and wants it again")
SET_ASIDE = _failed("set-aside", "it was tried as often as it may be; somebody has to decide on it")
FILE_CHANGED = _failed("file-changed", "no configuration run has announced that change of a file")
UNHEALTHY = _failed("unhealthy", "the service's probe fails")
LIBRARY_WARNING = _failed("library-warning", "a library warns; its text may quote a patient's data and is left out")
INTERNAL_ERROR = _failed("internal-error", "the program met what it does not expect; `error` and `trace` say what")

# Assets
UNDECLARED_ASSET = _failed("undeclared-asset", "what was found is not in the site's description")
MISSING_ASSET = _failed("missing-asset", "what the site's description has was not found")
CHANGED_ASSET = _failed("changed-asset", "what was found is not as the site's description, or its image, has it")
UNANSWERED_WEAKNESS = _failed("unanswered-weakness", "nobody has recorded what is done about the weakness")

REASONS: dict[str, Reason] = {
    reason.word: reason for reason in [*globals().values()] if isinstance(reason, Reason)
}  # fmt: skip
"""Every reason, by its word."""
