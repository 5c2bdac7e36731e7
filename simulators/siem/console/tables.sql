-- What the console adds to the repository's database; run by PostgreSQL's superuser after the repository's own tables, any
-- number of times. The console reads what it shows, not the messages as they came, and adds notes: it changes nothing.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'siem-console') THEN
    CREATE ROLE "siem-console" LOGIN;
  END IF;
  ALTER ROLE "siem-console" NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT CONNECTION LIMIT 20;
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO "siem-console"', current_database());
END $$;
GRANT USAGE ON SCHEMA siem TO "siem-console";
SET ROLE siem_owner;

-- What people say of incidents: alerts of one rule about one subject, up to a position.
CREATE TABLE IF NOT EXISTS siem.notes (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  incident text NOT NULL CHECK (incident ~ '^[0-9a-f]{32}$'),
  upto bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  person text NOT NULL CHECK (person <> ''),
  action text NOT NULL CHECK (action IN ('acknowledge', 'note', 'close')),
  text text NOT NULL CHECK (text <> '' AND length(text) <= 2000),
  patients boolean NOT NULL
);
CREATE INDEX IF NOT EXISTS notes_incident ON siem.notes (incident, number);
RESET ROLE;

REVOKE ALL ON ALL TABLES IN SCHEMA siem FROM "siem-console";
GRANT SELECT (position, received, run, number, "time", host, code, action, outcome, person, patient, accession, study, fields)
  ON siem.events TO "siem-console";
GRANT SELECT (position, received, run, number, host) ON siem.quarantine TO "siem-console";
GRANT SELECT ON siem.alerts, siem.progress, siem.gaps, siem.late, siem.notes TO "siem-console";
GRANT SELECT (number, first, count, since, until) ON siem.batches TO "siem-console";
GRANT INSERT (incident, upto, person, action, text, patients) ON siem.notes TO "siem-console";
