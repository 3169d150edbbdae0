-- Compressed well behind the lateness window, because an upsert into a compressed chunk is expensive.
-- Only where messages arrive: a replay of an old day must not be thinned out.

select add_compression_policy('edge', compress_after => interval '60 days');
select add_compression_policy('trend', compress_after => interval '14 days');
select add_retention_policy('trend', drop_after => interval '400 days');
