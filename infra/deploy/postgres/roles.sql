-- The three roles of Kept, its database and extensions: what infra/embedded/postgres.py makes for `./kept up`.
-- Run once by a superuser with psql; running it again changes nothing but passwords. Passwords come from the
-- environment: KEPT_OWNER_PASSWORD, KEPT_APP_PASSWORD, KEPT_OPERATOR_PASSWORD.
--
--   kept_owner     owns the tables; migrations only
--   kept_app       web and workers: sees one tenant at a time, behind row-level security
--   kept_operator  the console: SELECT over all tenants
\set ON_ERROR_STOP on
\getenv owner_password KEPT_OWNER_PASSWORD
\getenv app_password KEPT_APP_PASSWORD
\getenv operator_password KEPT_OPERATOR_PASSWORD

SELECT format('CREATE ROLE %I', wanted) FROM unnest(ARRAY['kept_owner', 'kept_app', 'kept_operator']) AS wanted
WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = wanted) \gexec

ALTER ROLE kept_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
ALTER ROLE kept_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'app_password';
ALTER ROLE kept_operator LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'operator_password';

-- Half the server's CPU on order intake: the plans are the same whatever the tenant.
ALTER ROLE kept_app SET plan_cache_mode = force_generic_plan;

-- The owner may hand a view over to the operator role, and gains none of its rights by itself.
GRANT kept_operator TO kept_owner WITH INHERIT FALSE, SET TRUE;

SELECT 'CREATE DATABASE kept OWNER kept_owner'
WHERE NOT EXISTS (SELECT 1 FROM pg_database WHERE datname = 'kept') \gexec
REVOKE ALL ON DATABASE kept FROM PUBLIC;
GRANT CONNECT ON DATABASE kept TO kept_app, kept_operator;

\connect kept
CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
