-- What the console adds to the repository's database; run by PostgreSQL's superuser after the repository's own tables, any
-- number of times. The console reads what it shows, not the messages as they came, and adds decisions about incidents: it changes nothing.
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

-- A note may tell of a patient, unless whoever wrote it sees no patients' data.
ALTER TABLE siem.decisions ADD COLUMN IF NOT EXISTS patients boolean NOT NULL DEFAULT true;
RESET ROLE;

REVOKE ALL ON ALL TABLES IN SCHEMA siem FROM "siem-console";
GRANT SELECT (position, received, run, number, "time", host, code, action, outcome, person, patient, accession, study, fields)
  ON siem.events TO "siem-console";
GRANT SELECT (position, received, run, number, host) ON siem.quarantine TO "siem-console";
GRANT SELECT ON siem.alerts, siem.progress, siem.gaps, siem.late, siem.decisions TO "siem-console";
GRANT SELECT (number, first, count, since, until) ON siem.batches TO "siem-console";
GRANT INSERT (incident, choice, person, note, patients) ON siem.decisions TO "siem-console";
