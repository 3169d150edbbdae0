"""A replay that is stopped in its middle ends at once and leaves no half-filled run behind."""

import psycopg
import pytest

from replay import shares
from replay.day import replay_window
from streams.archive.layout import Archive
from tests.replay.made_days import DAY, archived, day


@pytest.mark.timeout(60)
@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("source", ["facts", "messages"])
def test_stopped_in_its_middle_it_leaves_nothing(database_url, schema, tmp_path, monkeypatch, source):
    monkeypatch.setattr(shares, "_PART_ROWS", 50)
    events = day()
    archive = archived(Archive(tmp_path), *(events[start : start + 50] for start in range(0, len(events), 50)))
    met = []

    def stop_later(done, total):
        met.append((done, total))
        if 0 < done < total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replay_window(archive, database_url, DAY, schema, source, stop_later)
    assert 0 < met[-1][0] < met[-1][1]
    with psycopg.connect(database_url) as connection:
        assert connection.execute("select 1 from pg_namespace where nspname = %s", [schema]).fetchone() is None
