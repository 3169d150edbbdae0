-- The tables, each a merge that does not care about order. An event is pointed at by its position:
-- topic number << 54 | partition << 44 | offset.

create table register (
    register_id bigint primary key,
    point       text not null,
    device      text not null,
    obis        text not null,
    direction   text not null check (direction in ('import', 'export')),
    quality     smallint not null,
    document    text not null,
    digits      smallint not null
);
comment on table register is 'Energy registers: which one, of which device, at which quality, from which document.';
comment on column register.register_id is 'Hash of point, device, obis, direction, quality and document: the same in every database.';
comment on column register.point is 'What is metered: meter id, MeLo, MaLo, or STATION/EVSE.';
comment on column register.device is 'The device that counted.';
comment on column register.obis is 'OBIS code of the register, for example 1-0:1.8.0.';
comment on column register.direction is 'import (grid to customer) or export (customer to grid).';
comment on column register.quality is 'Place in the quality order: 0 measured, 1 substitute, 2 preliminary, 3 interpolated, 4 indicative, 5 missing.';
comment on column register.document is 'Empty for a live meter; else document time|sender|number of the market document.';
comment on column register.digits is 'Digits before the decimal point in kWh; 0: not known.';
create index register_point on register (point);

create table edge (
    register_id       bigint not null,
    slot              timestamptz not null,
    first_at          timestamptz not null,
    first_mwh         bigint not null,
    first_spread_mwh  bigint not null,
    first_position    bigint not null,
    last_at           timestamptz not null,
    last_mwh          bigint not null,
    last_spread_mwh   bigint not null,
    last_position     bigint not null,
    primary key (register_id, slot)
) with (fillfactor = 80);
comment on table edge is 'The first and the last reading of a register within a quarter hour.';
comment on column edge.register_id is 'The register, see table register.';
comment on column edge.slot is 'Start of the quarter hour, UTC.';
comment on column edge.first_at is 'Time of the first reading in the quarter hour.';
comment on column edge.first_mwh is 'Its value in mWh; where several are claimed for that instant, the smallest.';
comment on column edge.first_spread_mwh is 'Distance to the largest value claimed for that instant; not 0: a conflict.';
comment on column edge.first_position is 'Position of the event that says so.';
comment on column edge.last_at is 'Time of the last reading in the quarter hour.';
comment on column edge.last_mwh is 'Its value in mWh; where several are claimed for that instant, the smallest.';
comment on column edge.last_spread_mwh is 'Distance to the largest value claimed for that instant; not 0: a conflict.';
comment on column edge.last_position is 'Position of the event that says so.';

create table signal (
    signal_id bigint primary key,
    actor     text not null,
    attribute text not null
);
comment on table signal is 'Attributes of actors that were ever observed.';
comment on column signal.signal_id is 'Hash of actor and attribute: the same in every database.';
comment on column signal.actor is 'The actor as kind:identifier, for example meter:1EMH0012345678.';
comment on column signal.attribute is 'The attribute, for example power.';
create index signal_actor on signal (actor);

create table twin (
    signal_id bigint primary key,
    value     jsonb not null,
    unit      text not null,
    at        timestamptz not null,
    event_id  uuid not null,
    position  bigint not null
) with (fillfactor = 70);
comment on table twin is 'The state of every actor: for each attribute the observation with the latest event time, ties by event id.';
comment on column twin.signal_id is 'Actor and attribute, see table signal.';
comment on column twin.value is 'The value as JSON; numbers are exact.';
comment on column twin.unit is 'Unit of the value; empty for text and flags.';
comment on column twin.at is 'Event time of the observation.';
comment on column twin.event_id is 'The event that says so.';
comment on column twin.position is 'Position of that event.';

create table trend (
    signal_id  bigint not null,
    minute     timestamptz not null,
    last_at    timestamptz not null,
    last_event uuid not null,
    last       double precision not null,
    low        double precision not null,
    high       double precision not null,
    primary key (signal_id, minute)
) with (fillfactor = 80);
comment on table trend is 'Numeric attributes by minute, for drawing; exact figures come from edges and slot values.';
comment on column trend.signal_id is 'Actor and attribute, see table signal.';
comment on column trend.minute is 'Start of the minute, UTC.';
comment on column trend.last_at is 'Event time of the latest observation in the minute.';
comment on column trend.last_event is 'The event that says so; breaks ties.';
comment on column trend.last is 'The latest value in the minute.';
comment on column trend.low is 'The smallest value in the minute.';
comment on column trend.high is 'The largest value in the minute.';

create table sample (
    point   text not null,
    quality smallint not null,
    slot    timestamptz not null,
    packed  bigint[] not null,
    primary key (point, quality, slot)
);
comment on table sample is 'Power measurements of points without a register: a set per quarter hour.';
comment on column sample.point is 'What was measured.';
comment on column sample.quality is 'Place in the quality order, see register.quality.';
comment on column sample.slot is 'Start of the quarter hour, UTC.';
comment on column sample.packed is 'Sorted set: microseconds since the start of the quarter hour << 33 | power in mW + 2^32.';

create table series (
    series_id bigint primary key,
    series    text not null,
    object    text not null,
    unit      text not null
);
comment on table series is 'Series of quarter-hour values.';
comment on column series.series_id is 'Hash of series, object and unit: the same in every database.';
comment on column series.series is 'Kind of series, for example energy.import or price.day-ahead.';
comment on column series.object is 'What it is about: MaLo, MeLo, bidding zone ...';
comment on column series.unit is 'Unit of the values, for example mWh or EUR/MWh.';
create index series_object on series (object);

create table slot_value (
    series_id bigint not null,
    slot      timestamptz not null,
    version   text not null,
    quality   smallint not null,
    value     numeric not null,
    position  bigint not null,
    primary key (series_id, slot, version, quality, value)
);
comment on table slot_value is 'Values for quarter hours in all their versions; the highest version holds. Two rows of one version: a conflict.';
comment on column slot_value.series_id is 'The series, see table series.';
comment on column slot_value.slot is 'Start of the quarter hour, UTC.';
comment on column slot_value.version is 'Version by domain: document time first, never arrival.';
comment on column slot_value.quality is 'Place in the quality order, see register.quality.';
comment on column slot_value.value is 'The value, exact, in the unit of the series.';
comment on column slot_value.position is 'Position of the event that says so.';

create table quarantine (
    id          text primary key,
    interface   text not null,
    source      text not null,
    format      text not null,
    at          timestamptz,
    recorded_at timestamptz not null,
    reason      text not null,
    detail      text not null,
    raw         bytea not null,
    context     jsonb not null,
    position    bigint not null
);
comment on table quarantine is 'Messages that could not be decoded, and parts of messages that cannot be believed.';
comment on column quarantine.id is 'Identity of the rejected message or part, from its content.';
comment on column quarantine.interface is 'Number of the interface.';
comment on column quarantine.source is 'Where it came from.';
comment on column quarantine.format is 'Wire format, as far as recognised.';
comment on column quarantine.at is 'Time stamp that the log or the message gives, if any.';
comment on column quarantine.recorded_at is 'When the log of Gegenstrom took it.';
comment on column quarantine.reason is 'Reason as one word, for scripts.';
comment on column quarantine.detail is 'Reason as a sentence, for people.';
comment on column quarantine.raw is 'The bytes as they crossed the interface.';
comment on column quarantine.context is 'What the log said beside the bytes.';
comment on column quarantine.position is 'Position of the record that carried it.';

create table progress (
    topic       text not null,
    partition   integer not null,
    next_offset bigint not null,
    written_at  timestamptz not null default now(),
    primary key (topic, partition)
);
comment on table progress is 'The next offset of every partition; moves in the same transaction as the rows that came from it.';
comment on column progress.topic is 'Kafka topic.';
comment on column progress.partition is 'Its partition.';
comment on column progress.next_offset is 'The first offset whose facts are not in the tables yet.';
comment on column progress.written_at is 'When this last moved (operation only; never part of a result).';
