-- What the notifier adds to the repository's database; run by PostgreSQL's superuser after the repository's own tables, any
-- number of times. The notifier reads alerts and decisions, not events, and adds whom it has told: it changes nothing.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'siem-notifier') THEN
    CREATE ROLE "siem-notifier" LOGIN;
  END IF;
  ALTER ROLE "siem-notifier" NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT CONNECTION LIMIT 4;
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO "siem-notifier"', current_database());
END $$;
GRANT USAGE ON SCHEMA siem TO "siem-notifier";
SET ROLE siem_owner;

-- Who was told of which incident, as how grave.
CREATE TABLE IF NOT EXISTS siem.notices (
  incident bigint NOT NULL,
  level text NOT NULL,
  channel text NOT NULL CHECK (channel IN ('mail', 'webhook')),
  recipient text NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('told', 'refused')),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (incident, level, channel, recipient)
);
-- Since when people are told: of what was over by then, nobody is.
CREATE TABLE IF NOT EXISTS siem.noticing (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  since timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO siem.noticing DEFAULT VALUES ON CONFLICT (single) DO NOTHING;
RESET ROLE;

REVOKE ALL ON ALL TABLES IN SCHEMA siem FROM "siem-notifier";
GRANT SELECT ON siem.alerts, siem.decisions, siem.notices, siem.noticing TO "siem-notifier";
GRANT INSERT (incident, level, channel, recipient, outcome) ON siem.notices TO "siem-notifier";
REVOKE ALL ON siem.notices, siem.noticing FROM PUBLIC, siem, "siem-officer";
GRANT SELECT ON siem.notices, siem.noticing TO "siem-reader";
