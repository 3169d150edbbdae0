-- The account of the dashboards: it may read everything and change nothing. Run once, when the database is made.
\getenv password GRAFANA_DATABASE_PASSWORD
create role grafana login password :'password' connection limit 20;
grant pg_read_all_data to grafana;
alter role grafana set default_transaction_read_only = on;
alter role grafana set statement_timeout = '60s';
alter role grafana set search_path = live, public;
comment on role grafana is 'Reads for the dashboards.';
