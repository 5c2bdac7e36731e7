"""What happens: every word that ``action`` can have, who writes it, as which transaction, with which facts."""

from __future__ import annotations

from simulators.events.vocabulary import Action

EHR, RIS, MODALITY, WORKSTATION, IMAGE_MANAGER = (
    "pacslab-ehr",
    "pacslab-ris",
    "pacslab-modality",
    "pacslab-workstation",
    "pacslab-image-manager",
)
GATEWAY = "pacslab-gateway"
"""What stands between the viewer and the archives."""
ADMINISTRATION = "pacslab-administration"
"""Where administrators sign in before they come to a host."""
CONSOLE = "pacslab-console"
"""Pages on which people read what the repository of audit messages has."""
NOTIFIER = "pacslab-siem-notifier"
"""What tells people of incidents."""
INTEGRITY = "pacslab-integrity"
"""What watches the files that a host's programs are made of."""
EDGE = "haproxy"
PACKET_FILTER = "ulogd"
"""The firewall's and the hosts' refused packets."""
ARCHIVE = "Orthanc"
"""The archive's gate for objects, a plugin of Orthanc."""
REFUSAL_COUNTS = "pacslab-refusals"
"""How many packets the firewall has refused."""
FABRIC = "pacslab-ports"
"""The ports of the lab's own network."""
REVOCATION_LISTS = "pacslab-crl"
OPEN_CONNECTIONS = "pacslab-edge"
"""What ends connections at an edge after a reload."""
DATABASE_CONNECTIONS = "pacslab-database"
"""The same at a database server."""
DIRECTORY = "pacslab-directory"
"""What tells of sign-ins and changes at the directory of people."""
SIGN_ON = "pacslab-sign-on"
"""The portal where people sign in."""
WEB_SERVER = "nginx"
"""What stands before the portal."""
HEALTH = "pacslab-health"
COLLECTOR = "pacslab-collector-room"
VIEWER = "pacslab-viewer"
"""What writes the requests of the viewer's web server."""
ASSETS = "pacslab-assets"
"""The register of assets and the check that looks for them; written in the log of the host that looks."""

CONSOLES = (EHR, RIS, WORKSTATION, ADMINISTRATION)
"""Commands that people who are signed in act with."""
SIMULATORS = (EHR, RIS, MODALITY, WORKSTATION, IMAGE_MANAGER, GATEWAY, ADMINISTRATION)
SERVICES = (EHR, RIS, MODALITY, IMAGE_MANAGER, GATEWAY)
HL7_SERVICES = (EHR, RIS, IMAGE_MANAGER)
MESSAGE_TYPES = (
    "ADT^A01", "ADT^A03", "ADT^A04", "ADT^A05", "ADT^A08", "ADT^A11", "ADT^A40",
    "ORM^O01", "OMG^O19", "OMI^O23", "ORU^R01",
)  # fmt: skip
"""HL7 version 2, as MSH-9 names them."""
AT_AN_EDGE = (
    "source_port", "edge", "profile", "tls", "suite", "bytes_in", "bytes_out", "milliseconds", "end",
)  # fmt: skip
COMMITMENT = ("commitment", "committed", "failed", "instances", "step", "repeated", "error", "status")

# Every program
START = Action(
    "start",
    "A service is ready. `found` is how many files are watched from now on, as they are.",
    (*SERVICES, CONSOLE, NOTIFIER, INTEGRITY),
    facts=("hl7", "dicom", "callers", "archives", "found"),
)
COMMAND = Action(
    "command",
    "A command ended before it began a transaction.",
    (*SIMULATORS, "pacslab-misuse"),
    facts=("verb", "error", "detail", "remedy", "trace", "placer", "prior", "step", "rejection"),
)
WORK = Action(
    "work",
    "A part of a service did its turn.",
    (*SERVICES, SIGN_ON),
    facts=("worker", "error", "detail", "remedy", "trace"),
)
OPEN_DATABASE = Action(
    "open-database", "A service opens its database.", (EHR, RIS), facts=("error", "detail", "remedy")
)
WARN = Action("warn", "A library gives a warning.", SERVICES, facts=("library", "category"))

# Connections
CONNECT = Action(
    "connect",
    "A connection is opened: at an edge, at the listener behind it, or at a packet filter, which tells refusals only;"
    " with `packets`, how many of a zone were refused since the last such line, whether or not each was logged.",
    (EDGE, PACKET_FILTER, REFUSAL_COUNTS, *HL7_SERVICES),
    facts=(
        *AT_AN_EDGE, "target", "protocol", "port", "source_zone", "target_zone", "tls_error", "certificate_error",
        "issuer_error", "detail", "limit", "packets", "error", "trace",
    ),
)  # fmt: skip
SEND_FRAME = Action(
    "send-frame",
    "A host sends a frame into the lab's network that its port does not take; with `frames`, how many in a minute.",
    (FABRIC,),
    facts=("fabric_port", "mac", "claims", "target", "protocol", "port", "source_port", "frames"),
)
END_CONNECTION = Action(
    "end-connection",
    "A connection that is open is ended, since what it was let in by is gone.",
    (OPEN_CONNECTIONS, DATABASE_CONNECTIONS),
    facts=("source_port", "service", "error", "detail"),
)
REQUEST = Action(
    "request",
    "A request reaches an edge that speaks HTTP; one for DICOMweb names its transaction.",
    (EDGE, WEB_SERVER, VIEWER, CONSOLE),
    ("QIDO-RS", "WADO-RS", "STOW-RS"),
    facts=(*AT_AN_EDGE, "method", "path", "status"),
)
ASSOCIATE = Action(
    "associate",
    "A DICOM association is asked for, at an edge or behind it.",
    (EDGE, RIS),
    facts=(*AT_AN_EDGE, "called", "offers"),
)

# People at the viewer
PERSON_SEARCHES = Action(
    "person-searches", "Somebody who is signed in searches studies.", (GATEWAY,), ("QIDO-RS",),
    facts=("level", "found", "series", "instance", "error", "trace"),
)  # fmt: skip
PERSON_VIEWS = Action(
    "person-views",
    "Somebody who is signed in looks at images or their data: told once for a series in five minutes."
    " `state` is `emergency` where breaking the glass alone allows it.",
    (GATEWAY,),
    ("WADO-RS",),
    facts=("series", "instance", "state", "error", "trace"),
)
PERSON_ADDS = Action(
    "person-adds", "Somebody who is signed in adds an object.", (GATEWAY,), ("STOW-RS",),
    facts=("instance", "error", "trace"),
)  # fmt: skip
USE_SESSION = Action(
    "use-session",
    "A page asks who is signed in; told where it is refused or cannot be answered.",
    (GATEWAY,),
    facts=("error", "detail", "remedy", "trace"),
)
PERSON_BREAKS_GLASS = Action(
    "person-breaks-glass",
    "Somebody takes access to a patient in an emergency, for `seconds`.",
    (GATEWAY,),
    facts=("seconds", "error", "trace"),
)
EMERGENCY_ENDS = Action(
    "emergency-ends",
    "Access that somebody took in an emergency has ended, after `seconds`.",
    (GATEWAY,),
    facts=("seconds",),
)

# People at the console of the repository
READ_AUDIT = Action(
    "read-audit",
    "Somebody who is signed in reads what the repository of audit messages has, as `view` says: the same is told once"
    " in five minutes.",
    (CONSOLE,),
    facts=("view", "error", "detail", "remedy", "trace"),
)
HANDLE_INCIDENT = Action(
    "handle-incident",
    "Somebody says what `change` tells of an incident: acknowledges, closes or reopens it.",
    (CONSOLE,),
    facts=("view", "change", "error", "detail", "remedy", "trace"),
)
TELL_PEOPLE = Action(
    "tell-people",
    "Somebody, `account`, or a webhook is told of an incident, `item`.",
    (NOTIFIER,),
    facts=("item", "account", "attempts", "error", "detail", "remedy", "trace"),
)

# HL7 messages
RECEIVE = Action(
    "receive",
    "An HL7 message is received and answered.",
    HL7_SERVICES,
    MESSAGE_TYPES,
    facts=("message_type", "control_id", "code", "field", "octets", "repeated", "error", "trace"),
)
SEND = Action(
    "send",
    "An HL7 message of the outbox is sent.",
    (EHR, RIS),
    MESSAGE_TYPES,
    facts=("message_type", "control_id", "code", "seconds", "attempts", "error", "trace"),
)

SETTLE = Action(
    "settle",
    "Somebody decides on work that was set aside, or a message that was refused: it waits again, or is dropped.",
    (EHR, RIS, IMAGE_MANAGER, MODALITY),
    facts=("message_type", "control_id", "queue", "item", "state"),
)

# Patients, orders, reports
REGISTER = Action("register", "A patient is registered.", (EHR, RIS), ("RAD-1",), facts=("control_id",))
UPDATE_PATIENT = Action(
    "update-patient", "A patient's demographics are changed.", (EHR,), ("RAD-12",), facts=("control_id",)
)
MERGE_PATIENTS = Action(
    "merge-patients",
    "Two records of a patient become one; `patient` survives.",
    (EHR, RIS),
    ("RAD-12",),
    facts=("control_id", "prior", "moved"),
)
ADMIT = Action("admit", "A patient is admitted to somebody's care.", (EHR,), ("RAD-1",), facts=("control_id",))
DISCHARGE = Action("discharge", "A patient's admission ends.", (EHR,), ("RAD-12",), facts=("control_id",))
ORDER = Action("order", "A procedure is ordered.", (EHR,), ("RAD-2",), facts=("control_id", "placer"))
CHANGE_ORDER = Action(
    "change-order", "An order that has not begun is changed.", (EHR, RIS), ("RAD-2",), facts=("control_id", "placer")
)
CANCEL = Action("cancel", "An order is cancelled.", (EHR, RIS), ("RAD-2",), facts=("control_id", "placer"))
SCHEDULE = Action(
    "schedule",
    "An order becomes a scheduled procedure; an image manager learns of it, and how far it has come (RAD-13).",
    (RIS, IMAGE_MANAGER),
    ("RAD-4", "RAD-13"),
    facts=("placer", "station", "state", "control_id"),
)
ORDER_STATUS = Action(
    "order-status", "The record learns an order's status.", (EHR,), ("RAD-3",), facts=("placer", "state")
)
REPORT = Action(
    "report",
    "A report is sent to the RIS (RAD-128), or passed on to the record (RAD-28).",
    (WORKSTATION, RIS, EHR),
    ("RAD-128", "RAD-28"),
    facts=("placer", "instance", "state", "control_id", "error", "trace"),
)

# Worklist and procedure steps
ECHO = Action("echo", "A peer asks for verification (C-ECHO).", (RIS,), ("C-ECHO",), facts=("operation",))
QUERY = Action(
    "query",
    "A worklist (RAD-5) or an archive (RAD-14, RAD-129) is queried.",
    (MODALITY, WORKSTATION, RIS),
    ("RAD-5", "RAD-14", "RAD-129"),
    facts=("operation", "level", "station", "step", "series", "instance", "found", "error", "trace"),
)
BEGIN_STEP = Action(
    "begin-step",
    "A procedure step is begun (MPPS N-CREATE).",
    (MODALITY, RIS),
    ("RAD-6",),
    facts=("operation", "mpps", "step", "status", "repeated", "error", "trace"),
)
UPDATE_STEP = Action(
    "update-step",
    "A procedure step is changed or ended (MPPS N-SET); `state` says to what.",
    (MODALITY, RIS),
    ("RAD-7",),
    facts=("operation", "mpps", "step", "state", "instances", "status", "repeated", "error", "trace"),
)
ACQUIRE = Action("acquire", "A modality makes images.", (MODALITY,), facts=("step", "modality", "instances"))
IMPORT = Action(
    "import", "A modality takes an object from elsewhere.", (MODALITY,), facts=("step", "sop_class", "instance")
)

# Images
BEGIN_TRANSFER = Action(
    "begin-transfer",
    "A modality, a workstation or an archive begins to send objects; `store` and `forward` tell the end.",
    (MODALITY, WORKSTATION, IMAGE_MANAGER),
    facts=("step", "sop_class", "series", "instance", "instances"),
)
STORE = Action(
    "store",
    "Objects are stored in the archive: images (RAD-8), presentation states (RAD-19), reports (RAD-24), key objects"
    " (RAD-29), measurements (RAD-43).",
    (MODALITY, WORKSTATION),
    ("RAD-8", "RAD-19", "RAD-24", "RAD-29", "RAD-43"),
    facts=("step", "sop_class", "instance", "instances", "left", "status", "error", "trace"),
)
REQUEST_COMMITMENT = Action(
    "request-commitment",
    "A modality asks the archive to answer for images (N-ACTION).",
    (MODALITY,),
    ("RAD-10",),
    facts=(*COMMITMENT, "trace"),
)
COMMITMENT_REPORT = Action(
    "commitment-report",
    "The archive's answer to that arrives (N-EVENT-REPORT).",
    (MODALITY,),
    ("RAD-10",),
    facts=COMMITMENT,
)
DELIVER = Action(
    "deliver",
    "A modality's service delivers what waits.",
    (MODALITY,),
    facts=("worker", "error", "detail", "remedy", "trace"),
)
RETRIEVE = Action(
    "retrieve",
    "A workstation retrieves images by C-GET (RAD-16) or WADO-RS (RAD-107).",
    (WORKSTATION,),
    ("RAD-16", "RAD-107"),
    facts=("series", "instance", "instances", "rejected", "error", "trace"),
)
RECEIVE_IMAGES = Action("receive-images", "A study's images have arrived in the archive.", (IMAGE_MANAGER,), ("RAD-8",))
NOTIFY_AVAILABILITY = Action(
    "notify-availability",
    "The order filler is told which objects of a study an archive has, and which no more (N-CREATE).",
    (IMAGE_MANAGER, RIS),
    ("RAD-49",),
    facts=("operation", "instances", "unavailable", "status", "attempts", "repeated", "error", "trace"),
)
TAKE_OBJECT = Action(
    "take-object",
    "An object reaches the archive and is not stored: refused, or stored before, as `state` says.",
    (ARCHIVE,),
    ("C-STORE",),
    facts=("octets", "series", "instance", "sop_class", "field", "state", "status", "detail", "error"),
)
ASK_REJECTION = Action(
    "ask-rejection",
    "Somebody asks for images to be rejected.",
    (RIS,),
    facts=("rejection", "title", "instances"),
)
DECIDE_REJECTION = Action(
    "decide-rejection",
    "Somebody else decides on images that are to be rejected; `state` says how.",
    (RIS,),
    facts=("rejection", "title", "instances", "state"),
)
REJECT = Action(
    "reject-images",
    "A rejection note goes to an archive, which takes out what it names.",
    (RIS, IMAGE_MANAGER),
    ("RAD-66",),
    facts=(
        "rejection",
        "title",
        "instance",
        "instances",
        "attempts",
        "seconds",
        "status",
        "error",
        "detail",
        "remedy",
        "trace",
    ),
)
HOLD = Action(
    "hold-object",
    "An object does not fit what was announced, and is kept outside of the archive.",
    (IMAGE_MANAGER,),
    facts=("series", "instance", "error", "trace"),
)
RESOLVE = Action(
    "resolve-object",
    "An object in quarantine goes into the archive, or is given up; `state` says which.",
    (IMAGE_MANAGER,),
    facts=("series", "instance", "state", "error", "trace"),
)
COMMIT_OBJECT = Action(
    "commit-object",
    "The archive is asked whether it answers for an object, and cannot tell.",
    (ARCHIVE,),
    ("RAD-10",),
    facts=("instance", "error"),
)
FILL_STORAGE = Action(
    "fill-storage", "An archive's storage is nearly full; told once an hour.", (ARCHIVE,), facts=("used", "limit")
)
FORWARD = Action(
    "forward",
    "A series is sent onward to another archive.",
    (IMAGE_MANAGER,),
    facts=("series", "instances", "attempts", "error", "trace"),
)
RESTAMP = Action(
    "restamp",
    "Images are brought to what is known of their patient.",
    (IMAGE_MANAGER,),
    ("RAD-12",),
    facts=("authority", "instances", "attempts", "error", "trace"),
)
RECOVER = Action(
    "recover",
    "An object is put back that was taken out when the service stopped.",
    (IMAGE_MANAGER,),
    facts=("file", "error", "trace"),
)

# The directory of people
BY_WHOM = ("account", "sid", "source_port", "status")
LOCK_ACCOUNT = Action(
    "lock-account", "An account is locked after too many wrong passwords.", (DIRECTORY,), facts=BY_WHOM
)
UNLOCK_ACCOUNT = Action("unlock-account", "A locked account is opened again.", (DIRECTORY,), facts=BY_WHOM)
CHANGE_ACCOUNT = Action(
    "change-account",
    "An account of the directory is changed, as `change` says; values are not told.",
    (DIRECTORY,),
    facts=("change", "attributes", "group", *BY_WHOM),
)
CHANGE_GROUP = Action(
    "change-group", "A group of the directory comes or goes.", (DIRECTORY,), facts=("change", "group")
)

# Sign-on of people
ASK_SECOND_FACTOR = Action("ask-second-factor", "The password is right; the second factor is asked for.", (SIGN_ON,))
SIGN_IN = Action(
    "sign-in",
    "Somebody signs in: shows the directory a password or asks it for a ticket, or shows the sign-on both factors,"
    " at its pages or by a command of a host."
    " `person` is the name as it was given; the sign-on leaves out what cannot be one.",
    (DIRECTORY, SIGN_ON, *CONSOLES),
    facts=("service", "factor", "home", *BY_WHOM, "error", "trace"),
)
AUTHORIZE = Action("authorize", "A person who is signed in opens an application.", (SIGN_ON,), facts=("application",))
CONFIRM_SESSION = Action(
    "confirm-session",
    "An application, or a browser, comes with the session of a person whom the directory no longer lets in: the session"
    " ends at every application. Or the directory does not answer, and the session goes on.",
    (SIGN_ON,),
    facts=("application",),
)
ISSUE_TOKEN = Action(
    "issue-token", "An application is told who signed in, and with which roles.", (SIGN_ON,), facts=("application",)
)
SIGN_OUT = Action(
    "sign-out",
    "A person signs out, which ends the session at every application.",
    (SIGN_ON, *CONSOLES),
    facts=("error", "trace"),
)
OPEN_ENVELOPE = Action(
    "open-envelope",
    "Somebody (`user`, an account of the machine that drives the lab) opens the sealed envelope, to come in to host"
    " `target` without a sign-on.",
    (ADMINISTRATION,),
    facts=("target",),
)
SEAL_ENVELOPE = Action(
    "seal-envelope",
    "The envelope is sealed again, with another secret; what was in it before lets nobody in.",
    (ADMINISTRATION,),
)

# Hosts
FETCH_LISTS = Action(
    "fetch-lists",
    "A host fetches the revocation lists; written when they are new, or when it did not succeed.",
    (REVOCATION_LISTS,),
    facts=("lists", "units", "error", "detail"),
)
TAKE_LINES = Action(
    "take-lines",
    "The collector takes other hosts' lines again, or no longer: they keep them meanwhile.",
    (COLLECTOR,),
    facts=("folder",),
)
CHANGE_HEALTH = Action(
    "change-health",
    "A service of a host has become healthy, or is no longer.",
    (HEALTH,),
    facts=("service", "unit"),
)
CHANGE_FILE = Action(
    "change-file",
    "A file that a host's programs are made of is not as it was, or came or went; `success` where a configuration run"
    " has announced it. With `found`, how many there were at once.",
    (INTEGRITY,),
    facts=("host_file", "change", "found"),
)

# Assets
LIST_ASSET = Action(
    "list-asset",
    "A host stands in the register of assets; `peer` is the host.",
    (ASSETS,),
    facts=("target", "asset_zone", "owner", "criticality", "regulated"),
)
FIND_ASSET = Action(
    "find-asset",
    "Something is in the network that the description has not, or has otherwise; or something that it has is missing.",
    (ASSETS,),
    facts=("target", "asset_zone", "mac", "fabric_port", "service", "protocol", "port", "part", "expected", "observed"),
)
FIND_WEAKNESS = Action(
    "find-weakness",
    "A host, `peer`, has a publicly known weakness; `answer` is what was decided about it.",
    (ASSETS,),
    facts=("weakness", "part", "severity", "answer"),
)

ACTIONS: dict[str, Action] = {action.word: action for action in [*globals().values()] if isinstance(action, Action)}
"""Every action, by its word."""
