-- Tables of the repository of audit records; run by PostgreSQL's superuser, any number of times.
-- Whoever signs in may add and read, and nobody may change or remove: tables belong to a role that cannot sign in.
-- A whole day goes by siem.drop_day alone, when it is older than the policy says and nobody holds it.
DO $$
DECLARE name text;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'siem_owner') THEN
    CREATE ROLE siem_owner NOLOGIN;
  END IF;
  FOREACH name IN ARRAY ARRAY['siem', 'siem-reader', 'siem-officer'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
      EXECUTE format('CREATE ROLE %I LOGIN', name);
    END IF;
    EXECUTE format('ALTER ROLE %I NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT CONNECTION LIMIT 20', name);
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), name);
  END LOOP;
END $$;
CREATE SCHEMA IF NOT EXISTS siem AUTHORIZATION siem_owner;
GRANT USAGE ON SCHEMA siem TO siem, "siem-reader", "siem-officer";
SET ROLE siem_owner;

-- Every record has a position; events, what was refused and alerts are numbered together.
CREATE TABLE IF NOT EXISTS siem.events (
  position bigint NOT NULL,
  received timestamptz NOT NULL,
  run uuid NOT NULL,
  number bigint NOT NULL,
  "time" timestamptz,
  host text COLLATE "C" NOT NULL,
  code text COLLATE "C", action text COLLATE "C", outcome text COLLATE "C",
  person text COLLATE "C", patient text COLLATE "C", accession text COLLATE "C", study text COLLATE "C",
  fields json COMPRESSION lz4 NOT NULL,
  PRIMARY KEY (received, position)
) PARTITION BY RANGE (received);
CREATE INDEX IF NOT EXISTS events_person ON siem.events (person, received) WHERE person IS NOT NULL;
CREATE INDEX IF NOT EXISTS events_patient ON siem.events (patient, received) WHERE patient IS NOT NULL;
CREATE INDEX IF NOT EXISTS events_accession ON siem.events (accession, received) WHERE accession IS NOT NULL;
CREATE INDEX IF NOT EXISTS events_study ON siem.events (study, received) WHERE study IS NOT NULL;
CREATE INDEX IF NOT EXISTS events_host ON siem.events (host, received);

-- Messages of events as they came. What was stored together stands here together, one message after the other, since
-- messages are much alike and compress together to a fraction. Of each record from the first on: how many octets.
CREATE TABLE IF NOT EXISTS siem.messages (
  first bigint NOT NULL,
  received timestamptz NOT NULL,
  octets integer[] NOT NULL,
  raw bytea COMPRESSION lz4 NOT NULL,
  PRIMARY KEY (received, first)
) PARTITION BY RANGE (received);

-- What came and is no audit message.
CREATE TABLE IF NOT EXISTS siem.quarantine (
  position bigint NOT NULL,
  received timestamptz NOT NULL,
  run uuid NOT NULL,
  number bigint NOT NULL,
  host text NOT NULL,
  raw bytea COMPRESSION lz4 NOT NULL,
  reason text NOT NULL,
  PRIMARY KEY (received, position)
) PARTITION BY RANGE (received);

-- What rules made of events, and what the repository itself tells.
CREATE TABLE IF NOT EXISTS siem.alerts (
  position bigint NOT NULL,
  received timestamptz NOT NULL,
  host text NOT NULL,
  rule text NOT NULL,
  level text NOT NULL,
  of bigint NOT NULL,
  fields json COMPRESSION lz4 NOT NULL,
  PRIMARY KEY (received, position)
) PARTITION BY RANGE (received);
CREATE INDEX IF NOT EXISTS alerts_rule ON siem.alerts (rule, received);

-- What was stored together: a tree over its records' hashes, chained to the batch before, signed.
CREATE TABLE IF NOT EXISTS siem.batches (
  number bigint PRIMARY KEY,
  first bigint NOT NULL UNIQUE,
  count integer NOT NULL,
  since timestamptz NOT NULL,
  until timestamptz NOT NULL,
  leaves bytea NOT NULL,
  root bytea NOT NULL,
  previous bytea NOT NULL,
  head bytea NOT NULL,
  signature bytea NOT NULL
);

-- How far each sender's run has come, for a start.
CREATE TABLE IF NOT EXISTS siem.progress (
  host text NOT NULL,
  run uuid NOT NULL,
  last bigint NOT NULL,
  batch bigint NOT NULL,
  PRIMARY KEY (host, run, last)
);
-- Numbers that had not come when a higher one did, and those of them that came afterwards.
CREATE TABLE IF NOT EXISTS siem.gaps (
  host text NOT NULL,
  run uuid NOT NULL,
  first bigint NOT NULL,
  last bigint NOT NULL,
  noticed timestamptz NOT NULL,
  PRIMARY KEY (host, run, first)
);
CREATE TABLE IF NOT EXISTS siem.late (
  host text NOT NULL,
  run uuid NOT NULL,
  number bigint NOT NULL,
  PRIMARY KEY (host, run, number)
);
-- Compressed within the row: what is read back is whole records. Hashes do not compress.
ALTER TABLE siem.events ALTER COLUMN fields SET STORAGE MAIN;
ALTER TABLE siem.batches ALTER COLUMN leaves SET STORAGE EXTERNAL;

-- Days that are kept, however old.
CREATE TABLE IF NOT EXISTS siem.holds (
  hold uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  first date NOT NULL,
  last date NOT NULL CHECK (last >= first),
  reason text NOT NULL CHECK (reason <> ''),
  placed timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS siem.releases (
  hold uuid PRIMARY KEY REFERENCES siem.holds,
  reason text NOT NULL CHECK (reason <> ''),
  released timestamptz NOT NULL DEFAULT now()
);
-- What people decided about incidents, which follow from alerts and from this.
CREATE TABLE IF NOT EXISTS siem.decisions (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  incident bigint NOT NULL,
  choice text NOT NULL CHECK (choice IN ('acknowledge', 'close', 'reopen')),
  person text NOT NULL CHECK (person <> ''),
  note text NOT NULL CHECK (note <> ''),
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE IF NOT EXISTS siem.policy (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  keep_days integer NOT NULL CHECK (keep_days > 0)
);

CREATE OR REPLACE FUNCTION siem.make_day(day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE kind text; part text;
BEGIN
  -- A day that a clock was in by mistake is there, and records go on in it until the clock has reached it.
  IF to_regclass('siem.alerts_' || to_char(day, 'YYYYMMDD')) IS NOT NULL THEN
    RETURN;
  END IF;
  IF day NOT BETWEEN current_date - 2 AND current_date + 2 THEN
    RAISE EXCEPTION 'days are made near today alone, not %', day USING ERRCODE = 'invalid_parameter_value';
  END IF;
  FOREACH kind IN ARRAY ARRAY['events', 'messages', 'quarantine', 'alerts'] LOOP
    part := kind || '_' || to_char(day, 'YYYYMMDD');
    IF to_regclass('siem.' || part) IS NULL THEN
      EXECUTE format('CREATE TABLE siem.%I PARTITION OF siem.%I FOR VALUES FROM (%L) TO (%L)',
                     part, kind, day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00');
    END IF;
  END LOOP;
END $$;

-- The message of the event at a position, as it came; nothing where there is none.
CREATE OR REPLACE FUNCTION siem.message(wanted bigint) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT substr(m.raw, 1 + coalesce((SELECT sum(o) FROM unnest(m.octets[:wanted - m.first]) AS o), 0)::integer,
                m.octets[wanted - m.first + 1])
  FROM (SELECT since, until FROM siem.batches WHERE first <= wanted ORDER BY first DESC LIMIT 1) AS b, siem.messages AS m
  WHERE m.received BETWEEN b.since AND b.until AND m.first <= wanted ORDER BY m.first DESC LIMIT 1
$$;

CREATE OR REPLACE FUNCTION siem.is_held(day date) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT FROM siem.holds AS h WHERE day BETWEEN h.first AND h.last
                 AND NOT EXISTS (SELECT FROM siem.releases AS r WHERE r.hold = h.hold))
$$;

CREATE OR REPLACE FUNCTION siem.drop_day(day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE kind text;
BEGIN
  IF day >= current_date - (SELECT keep_days FROM siem.policy) THEN
    RAISE EXCEPTION 'the policy keeps %', day USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF siem.is_held(day) THEN
    RAISE EXCEPTION '% is held', day USING ERRCODE = 'insufficient_privilege';
  END IF;
  FOREACH kind IN ARRAY ARRAY['events', 'messages', 'quarantine', 'alerts'] LOOP
    EXECUTE format('DROP TABLE IF EXISTS siem.%I', kind || '_' || to_char(day, 'YYYYMMDD'));
  END LOOP;
END $$;
RESET ROLE;

REVOKE ALL ON ALL TABLES IN SCHEMA siem FROM PUBLIC, siem, "siem-reader", "siem-officer";
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA siem FROM PUBLIC, siem, "siem-reader", "siem-officer";
GRANT SELECT ON ALL TABLES IN SCHEMA siem TO siem, "siem-reader", "siem-officer";
GRANT INSERT ON siem.events, siem.messages, siem.quarantine, siem.alerts, siem.batches, siem.progress, siem.gaps, siem.late TO siem;
GRANT INSERT ON siem.holds, siem.releases TO "siem-officer";
GRANT INSERT (incident, choice, person, note) ON siem.decisions TO "siem-officer";
GRANT EXECUTE ON FUNCTION siem.make_day, siem.drop_day, siem.is_held, siem.message TO siem;
GRANT EXECUTE ON FUNCTION siem.is_held, siem.message TO "siem-reader", "siem-officer";
