-- What people said needs no more attention in the quarantine. The log holds it as well: the last word in it counts,
-- in whatever order it is read.

create table dismissal (
    id          text primary key,
    because     text not null,
    recorded_at timestamptz not null,
    position    bigint not null
);
comment on table dismissal is 'What a person said needs no more attention in the quarantine; the entry itself stays. May come before its entry.';
comment on column dismissal.id is 'Identity of the entry, see table quarantine.';
comment on column dismissal.because is 'Why, in the words of whoever dismissed it; the last dismissal in the log holds.';
comment on column dismissal.recorded_at is 'When the log of Gegenstrom took it.';
comment on column dismissal.position is 'Position of the record that carried it.';
