"""An audit message of each event as PS3.15 A.5.3 wants it, written without our own code that makes them."""

from __future__ import annotations

import base64

NUMBERS = {
    "Application Activity": "110100", "Audit Log Used": "110101", "Begin Transferring DICOM Instances": "110102",
    "DICOM Instances Accessed": "110103", "DICOM Instances Transferred": "110104", "DICOM Study Deleted": "110105",
    "Export": "110106", "Import": "110107", "Network Entry": "110108", "Order Record": "110109",
    "Patient Record": "110110", "Procedure Record": "110111", "Query": "110112", "Security Alert": "110113",
    "User Authentication": "110114",
}  # fmt: skip


def _coded(element: str, value: str, text: str, system: str = "DCM") -> str:
    return f'<{element} csd-code="{value}" codeSystemName="{system}" originalText="{text}"/>'


def _participant(user: str, role: str = "", requests: str = "false", inner: str = "") -> str:
    code = _coded("RoleIDCode", role, "a role") if role else ""
    return (
        f'<ActiveParticipant UserID="{user}" AlternativeUserID="AETITLES=CT1" UserName="{user}"'
        f' UserIsRequestor="{requests}" NetworkAccessPointID="10.24.41.11" NetworkAccessPointTypeCode="2">{code}{inner}'
        "</ActiveParticipant>"
    )


def _entry(identifier: str, kind: str, role: str, code: str, inner: str) -> str:
    return (
        f'<ParticipantObjectIdentification ParticipantObjectID="{identifier}" ParticipantObjectTypeCode="{kind}"'
        f' ParticipantObjectTypeCodeRole="{role}" ParticipantObjectDataLifeCycle="6"'
        f' ParticipantObjectSensitivity="N">{code}{inner}</ParticipantObjectIdentification>'
    )


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


NAME = "<ParticipantObjectName>a name</ParticipantObjectName>"
STUDY = _entry(
    "1.2.3", "2", "3", _coded("ParticipantObjectIDTypeCode", "110180", "Study Instance UID"),
    f'{NAME}<ParticipantObjectDetail type="a detail" value="{_base64("its value")}"/>'
    '<ParticipantObjectDescription><MPPS UID="1.2.4"/><Accession Number="A1"/>'
    '<SOPClass UID="1.2.840.10008.5.1.4.1.1.2" NumberOfInstances="2"><Instance UID="1.2.5"/><Instance UID="1.2.6"/>'
    '</SOPClass><ParticipantObjectContainsStudy><StudyIDs UID="1.2.3"/></ParticipantObjectContainsStudy>'
    "<Encrypted>false</Encrypted><Anonymized>false</Anonymized></ParticipantObjectDescription>",
)  # fmt: skip
PATIENT = _entry(
    "P0000001", "1", "1", _coded("ParticipantObjectIDTypeCode", "2", "Patient Number", "RFC-3881"), NAME
)  # fmt: skip
QUERY = _entry(
    "1.2.840.10008.5.1.4.31", "2", "3", _coded("ParticipantObjectIDTypeCode", "110181", "SOP Class UID"),
    f"<ParticipantObjectQuery>{_base64('a query')}</ParticipantObjectQuery>"
    f'<ParticipantObjectDetail type="TransferSyntax" value="{_base64("1.2.840.10008.1.2")}"/>',
)  # fmt: skip
LOG = _entry("urn:log", "2", "13", _coded("ParticipantObjectIDTypeCode", "12", "URI", "RFC-3881"), NAME)
NODE = _entry(
    "ct1@imaging.internal", "2", "13", _coded("ParticipantObjectIDTypeCode", "110182", "Node ID"),
    f'{NAME}<ParticipantObjectDetail type="Alert Description" value="{_base64("refused")}"/>',
)  # fmt: skip
SENDER, RECEIVER = _participant("ct1", "110153", "true"), _participant("pacs-rad", "110152")
MEDIA = f"<MediaIdentifier>{_coded('MediaType', '110033', 'DVD')}</MediaIdentifier>"
USER, PROCESS = _participant("a.rivera@imaging.internal", requests="true"), _participant("pacslab-ris[12]")

PARTS: dict[str, tuple[str, str, list[str], list[str]]] = {
    # event: action, type, participants, objects
    "Application Activity": ("E", "110120", [_participant("x", "110150"), _participant("root", "110151")], []),
    "Audit Log Used": ("R", "", [USER, PROCESS], [LOG]),
    "Begin Transferring DICOM Instances": ("E", "", [SENDER, RECEIVER, PROCESS], [STUDY, PATIENT]),
    "DICOM Instances Accessed": ("R", "", [USER, PROCESS], [STUDY, PATIENT]),
    "DICOM Instances Transferred": ("C", "", [SENDER, RECEIVER], [STUDY, PATIENT]),
    "DICOM Study Deleted": ("D", "", [USER], [STUDY, PATIENT]),
    "Export": ("R", "", [_participant("x", "110152"), SENDER, _participant("d", "110154")], [STUDY, PATIENT, PATIENT]),
    "Import": (
        "C", "", [_participant("x", "110152", "true"), _participant("dvd", "110155", inner=MEDIA)], [STUDY, PATIENT],
    ),
    "Network Entry": ("E", "110124", [_participant("ct1")], []),
    "Order Record": ("U", "", [USER, PROCESS], [PATIENT]),
    "Patient Record": ("C", "", [USER], [PATIENT]),
    "Procedure Record": ("U", "", [PROCESS], [STUDY, PATIENT]),
    "Query": ("E", "", [SENDER, RECEIVER, PROCESS], [QUERY]),
    "Security Alert": ("E", "110126", [PROCESS, _participant("ct1")], [NODE]),
    "User Authentication": ("E", "110122", [USER, PROCESS], []),
}  # fmt: skip


def sample(event: str, **replaced: object) -> str:
    """Return a message of an event; its action, type, participants or objects may be others."""
    names = ("action", "type", "participants", "objects")
    parts = dict(zip(names, PARTS[event], strict=True)) | replaced
    kind = _coded("EventTypeCode", str(parts["type"]), "a type") if parts["type"] else ""
    participants, objects = parts["participants"], parts["objects"]
    assert isinstance(participants, list)
    assert isinstance(objects, list)
    return (
        f'<AuditMessage><EventIdentification EventActionCode="{parts["action"]}"'
        ' EventDateTime="2026-01-05T09:12:44.310Z" EventOutcomeIndicator="0">'
        f"{_coded('EventID', NUMBERS[event], event)}{kind}<EventOutcomeDescription>done</EventOutcomeDescription>"
        f"</EventIdentification>{''.join(participants)}"
        '<AuditSourceIdentification AuditEnterpriseSiteID="reference" AuditSourceID="pacs-rad">'
        '<AuditSourceTypeCode csd-code="4"/>'
        '<AuditSourceTypeCode csd-code="x" codeSystemName="99X" originalText="an archive"/>'
        f"</AuditSourceIdentification>{''.join(objects)}</AuditMessage>"
    )
