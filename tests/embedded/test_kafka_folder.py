"""The folder of the embedded broker."""

from streams.embedded import kafka


def test_a_cluster_whose_id_begins_with_a_hyphen_is_set_up_like_any_other(tmp_path, monkeypatch):
    monkeypatch.setattr(kafka.secrets, "token_bytes", lambda size: b"\xf8" * size)

    kafka.prepare(tmp_path, 1, 2)

    assert "cluster.id=-Pj4-" in (tmp_path / "kafka" / "data" / "meta.properties").read_text("ascii")
