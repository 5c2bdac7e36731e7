"""Codes of audit messages: PS3.16 CID 400 to 404, and those of PS3.15 A.5.1.2 that RFC 3881 numbers."""

from __future__ import annotations

from dataclasses import dataclass

DCM = "DCM"
RFC_3881 = "RFC-3881"
TRANSACTIONS = "IHE Transactions"
"""Names of transactions of the Radiology framework (``RAD-8``), as IHE codes them in EventTypeCode."""
SERVICES = "DICOM Services"
"""Names of services of PS3.7 and PS3.18 (``C-STORE``, ``WADO-RS``); our own code system, since DICOM numbers none."""
HL7_EVENTS = "HL7 v2 table 0354"
"""Message structures (``ADT^A08``)."""


@dataclass(frozen=True)
class Code:
    """A code with its system and its meaning there."""

    value: str
    system: str
    meaning: str


def _dcm(value: str, meaning: str) -> Code:
    return Code(value, DCM, meaning)


def _by_value(*codes: Code) -> dict[str, Code]:
    return {code.value: code for code in codes}


# CID 400 Audit Event ID
APPLICATION_ACTIVITY = _dcm("110100", "Application Activity")
AUDIT_LOG_USED = _dcm("110101", "Audit Log Used")
BEGIN_TRANSFERRING = _dcm("110102", "Begin Transferring DICOM Instances")
INSTANCES_ACCESSED = _dcm("110103", "DICOM Instances Accessed")
INSTANCES_TRANSFERRED = _dcm("110104", "DICOM Instances Transferred")
STUDY_DELETED = _dcm("110105", "DICOM Study Deleted")
EXPORT = _dcm("110106", "Export")
IMPORT = _dcm("110107", "Import")
NETWORK_ENTRY = _dcm("110108", "Network Entry")
ORDER_RECORD = _dcm("110109", "Order Record")
PATIENT_RECORD = _dcm("110110", "Patient Record")
PROCEDURE_RECORD = _dcm("110111", "Procedure Record")
QUERY = _dcm("110112", "Query")
SECURITY_ALERT = _dcm("110113", "Security Alert")
USER_AUTHENTICATION = _dcm("110114", "User Authentication")

EVENTS = _by_value(
    APPLICATION_ACTIVITY, AUDIT_LOG_USED, BEGIN_TRANSFERRING, INSTANCES_ACCESSED, INSTANCES_TRANSFERRED, STUDY_DELETED,
    EXPORT, IMPORT, NETWORK_ENTRY, ORDER_RECORD, PATIENT_RECORD, PROCEDURE_RECORD, QUERY, SECURITY_ALERT,
    USER_AUTHENTICATION,
)  # fmt: skip
"""CID 400: what EventID can be."""

# CID 401 Audit Event Type Code
APPLICATION_START = _dcm("110120", "Application Start")
APPLICATION_STOP = _dcm("110121", "Application Stop")
LOGIN = _dcm("110122", "Login")
LOGOUT = _dcm("110123", "Logout")
ATTACH = _dcm("110124", "Attach")
DETACH = _dcm("110125", "Detach")
NODE_AUTHENTICATION = _dcm("110126", "Node Authentication")
EMERGENCY_OVERRIDE_STARTED = _dcm("110127", "Emergency Override Started")
NETWORK_CONFIGURATION = _dcm("110128", "Network Configuration")
SECURITY_CONFIGURATION = _dcm("110129", "Security Configuration")
HARDWARE_CONFIGURATION = _dcm("110130", "Hardware Configuration")
SOFTWARE_CONFIGURATION = _dcm("110131", "Software Configuration")
USE_OF_RESTRICTED_FUNCTION = _dcm("110132", "Use of Restricted Function")
AUDIT_RECORDING_STOPPED = _dcm("110133", "Audit Recording Stopped")
AUDIT_RECORDING_STARTED = _dcm("110134", "Audit Recording Started")
OBJECT_SECURITY_CHANGED = _dcm("110135", "Object Security Attributes Changed")
SECURITY_ROLES_CHANGED = _dcm("110136", "Security Roles Changed")
USER_SECURITY_CHANGED = _dcm("110137", "User Security Attributes Changed")
EMERGENCY_OVERRIDE_STOPPED = _dcm("110138", "Emergency Override Stopped")
REMOTE_SERVICE_STARTED = _dcm("110139", "Remote Service Operation Started")
REMOTE_SERVICE_STOPPED = _dcm("110140", "Remote Service Operation Stopped")
LOCAL_SERVICE_STARTED = _dcm("110141", "Local Service Operation Started")
LOCAL_SERVICE_STOPPED = _dcm("110142", "Local Service Operation Stopped")
AUTHENTICATION_DECISION = _dcm("110143", "Authentication Decision")
AUTHORIZATION_DECISION = _dcm("110144", "Authorization Decision")
SESSION_START = _dcm("110145", "Session start")
SESSION_STOP = _dcm("110146", "Session stop")
ACCESS_CONTROL_DECISION = _dcm("110147", "Access Control Decision")

TYPES = _by_value(
    APPLICATION_START, APPLICATION_STOP, LOGIN, LOGOUT, ATTACH, DETACH, NODE_AUTHENTICATION, EMERGENCY_OVERRIDE_STARTED,
    NETWORK_CONFIGURATION, SECURITY_CONFIGURATION, HARDWARE_CONFIGURATION, SOFTWARE_CONFIGURATION,
    USE_OF_RESTRICTED_FUNCTION, AUDIT_RECORDING_STOPPED, AUDIT_RECORDING_STARTED, OBJECT_SECURITY_CHANGED,
    SECURITY_ROLES_CHANGED, USER_SECURITY_CHANGED, EMERGENCY_OVERRIDE_STOPPED, REMOTE_SERVICE_STARTED,
    REMOTE_SERVICE_STOPPED, LOCAL_SERVICE_STARTED, LOCAL_SERVICE_STOPPED, AUTHENTICATION_DECISION,
    AUTHORIZATION_DECISION, SESSION_START, SESSION_STOP, ACCESS_CONTROL_DECISION,
)  # fmt: skip
"""CID 401: what EventTypeCode can be; CID 403, the types of a Security Alert, has the same members."""

# CID 402 Audit Active Participant Role ID Code
APPLICATION = _dcm("110150", "Application")
APPLICATION_LAUNCHER = _dcm("110151", "Application Launcher")
DESTINATION = _dcm("110152", "Destination Role ID")
SOURCE = _dcm("110153", "Source Role ID")
DESTINATION_MEDIA = _dcm("110154", "Destination Media")
SOURCE_MEDIA = _dcm("110155", "Source Media")

ROLES = _by_value(APPLICATION, APPLICATION_LAUNCHER, DESTINATION, SOURCE, DESTINATION_MEDIA, SOURCE_MEDIA)
"""CID 402: what a participant's RoleIDCode can be."""

# CID 404 Audit Participant Object ID Type Code
STUDY_UID = _dcm("110180", "Study Instance UID")
SOP_CLASS_UID = _dcm("110181", "SOP Class UID")
NODE_ID = _dcm("110182", "Node ID")
# PS3.15 A.5.1.2.4
PATIENT_NUMBER = Code("2", RFC_3881, "Patient Number")
SEARCH_CRITERIA = Code("10", RFC_3881, "Search Criteria")
USER_IDENTIFIER = Code("11", RFC_3881, "User Identifier")
URI = Code("12", RFC_3881, "URI")

OBJECTS = {
    (code.value, code.system): code
    for code in (STUDY_UID, SOP_CLASS_UID, NODE_ID, PATIENT_NUMBER, SEARCH_CRITERIA, USER_IDENTIFIER, URI)
}
"""What ParticipantObjectIDTypeCode can be, of CID 404 and PS3.15 A.5.1.2.4, as far as it is used here."""
