-- What grows becomes a hypertable: one chunk a day.

select create_hypertable('edge', by_range('slot', interval '1 day'), create_default_indexes => false, migrate_data => true);
select create_hypertable('trend', by_range('minute', interval '1 day'), create_default_indexes => false, migrate_data => true);
select create_hypertable('sample', by_range('slot', interval '1 day'), create_default_indexes => false, migrate_data => true);
select create_hypertable('slot_value', by_range('slot', interval '7 days'), create_default_indexes => false, migrate_data => true);

alter table edge set (timescaledb.compress, timescaledb.compress_segmentby = 'register_id', timescaledb.compress_orderby = 'slot');
alter table trend set (timescaledb.compress, timescaledb.compress_segmentby = 'signal_id', timescaledb.compress_orderby = 'minute');
