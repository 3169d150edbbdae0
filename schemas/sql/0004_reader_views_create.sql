-- What readers may rely on: names instead of hashes. A change that a reader would notice makes a _v2 beside the _v1.

create function quality_name(quality smallint) returns text
    language sql immutable parallel safe
    return (array['measured', 'substitute', 'preliminary', 'interpolated', 'indicative', 'missing'])[quality + 1];
comment on function quality_name(smallint) is 'The word for a place in the quality order.';

create view twin_v1 as
select signal.actor, signal.attribute, twin.value, twin.unit, twin.at, twin.event_id,
    (twin.position >> 54)::integer as topic_number,
    ((twin.position >> 44) & 1023)::integer as topic_partition,
    twin.position & 17592186044415 as topic_offset
from twin join signal using (signal_id);
comment on view twin_v1 is 'The state of every actor, with names, and where in the log the event lies that says so.';
comment on column twin_v1.actor is 'The actor as kind:identifier.';
comment on column twin_v1.attribute is 'The attribute.';
comment on column twin_v1.value is 'The value as JSON; numbers are exact.';
comment on column twin_v1.unit is 'Unit of the value; empty for text and flags.';
comment on column twin_v1.at is 'Event time of the observation.';
comment on column twin_v1.event_id is 'The event that says so.';
comment on column twin_v1.topic_number is 'Number of the topic: that of the interface, 101 to 104 for E1 to E4.';
comment on column twin_v1.topic_partition is 'Partition of the topic.';
comment on column twin_v1.topic_offset is 'Offset in the partition.';

create view slot_value_v1 as
select series.series, series.object, series.unit, slot_value.slot, slot_value.version,
    quality_name(slot_value.quality) as quality, slot_value.value
from slot_value join series using (series_id);
comment on view slot_value_v1 is 'Values for quarter hours in all their versions, with names.';
comment on column slot_value_v1.series is 'Kind of series, for example energy.import or price.day-ahead.';
comment on column slot_value_v1.object is 'What it is about: MaLo, MeLo, bidding zone ...';
comment on column slot_value_v1.unit is 'Unit of the values.';
comment on column slot_value_v1.slot is 'Start of the quarter hour, UTC.';
comment on column slot_value_v1.version is 'Version by domain; the highest holds.';
comment on column slot_value_v1.quality is 'Quality as a word.';
comment on column slot_value_v1.value is 'The value, exact, in the unit of the series.';

-- Rules slots/2026-10: a reading within 9 s of an edge counts as on it, the nearest first, of two as near the one at or
-- behind the edge; a contested one only where no other is near, unless the register is indicative. 69 kWh are what
-- 276 kW carry in a quarter hour. Everything else (interpolation, rollover, exchange, conflict) is left to the command
-- `twin slots`, and left out here.
create view register_quarter_hour_v1 as
select register.point, register.device, register.obis, register.direction,
    quality_name(register.quality) as quality, register.document,
    began.slot, ended.mwh - began.mwh as energy_mwh, began.at as start_at, ended.at as end_at
from register
cross join lateral (
    select distinct on (near.slot) near.slot, near.at, near.mwh, near.spread_mwh
    from (
        select reading.at, reading.mwh, reading.spread_mwh,
            edge.slot + case when reading.at <= edge.slot + interval '9 seconds' then interval '0' else interval '15 minutes' end as slot
        from edge cross join lateral (
            values (edge.first_at, edge.first_mwh, edge.first_spread_mwh), (edge.last_at, edge.last_mwh, edge.last_spread_mwh)
        ) as reading (at, mwh, spread_mwh)
        where edge.register_id = register.register_id
            and (reading.at <= edge.slot + interval '9 seconds' or reading.at >= edge.slot + interval '14 minutes 51 seconds')
    ) as near
    order by near.slot, near.spread_mwh <> 0 and register.quality < 2,
        greatest(near.at - near.slot, near.slot - near.at), near.at < near.slot
) as began
cross join lateral (
    select reading.at, reading.mwh, reading.spread_mwh
    from edge cross join lateral (
        values (edge.first_at, edge.first_mwh, edge.first_spread_mwh), (edge.last_at, edge.last_mwh, edge.last_spread_mwh)
    ) as reading (at, mwh, spread_mwh)
    where edge.register_id = register.register_id
        and edge.slot in (began.slot, began.slot + interval '15 minutes')
        and reading.at between began.slot + interval '14 minutes 51 seconds' and began.slot + interval '15 minutes 9 seconds'
    order by reading.spread_mwh <> 0 and register.quality < 2,
        greatest(reading.at - began.slot - interval '15 minutes', began.slot + interval '15 minutes' - reading.at),
        reading.at < began.slot + interval '15 minutes'
    limit 1
) as ended
where began.spread_mwh = 0 and ended.spread_mwh = 0 and register.quality < 5
    and ended.mwh - began.mwh between 0 and 69000000;
comment on view register_quarter_hour_v1 is
    'What one register counted in a quarter hour between two readings on its edges. Which register holds for a point, '
    'interpolation, rollover, exchange and cancelled documents: see twin slots.';
comment on column register_quarter_hour_v1.point is 'What is metered.';
comment on column register_quarter_hour_v1.device is 'The device that counted.';
comment on column register_quarter_hour_v1.obis is 'OBIS code of the register.';
comment on column register_quarter_hour_v1.direction is 'import (grid to customer) or export (customer to grid).';
comment on column register_quarter_hour_v1.quality is 'Quality of the register as a word.';
comment on column register_quarter_hour_v1.document is 'Empty for a live meter; else document time|sender|number of the market document.';
comment on column register_quarter_hour_v1.slot is 'Start of the quarter hour, UTC.';
comment on column register_quarter_hour_v1.energy_mwh is 'Energy in mWh, exact.';
comment on column register_quarter_hour_v1.start_at is 'Time of the reading at its start.';
comment on column register_quarter_hour_v1.end_at is 'Time of the reading at its end.';
