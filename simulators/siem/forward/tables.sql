-- What the forwarder may read of the repository's database; run by PostgreSQL's superuser after the repository's own tables, any
-- number of times. It reads events and alerts, not messages as they came, and changes nothing.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'siem-forwarder') THEN
    CREATE ROLE "siem-forwarder" LOGIN;
  END IF;
  ALTER ROLE "siem-forwarder" NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT CONNECTION LIMIT 4;
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO "siem-forwarder"', current_database());
END $$;
GRANT USAGE ON SCHEMA siem TO "siem-forwarder";
REVOKE ALL ON ALL TABLES IN SCHEMA siem FROM "siem-forwarder";
GRANT SELECT (position, received, host, fields) ON siem.events TO "siem-forwarder";
GRANT SELECT (position, received, host, rule, level, "of", fields) ON siem.alerts TO "siem-forwarder";
