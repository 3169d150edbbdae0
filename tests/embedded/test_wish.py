from streams.embedded.wish import Wish


def test_a_wish_is_read_as_it_was_written(tmp_path):
    wish = Wish(3, ("kafka",))
    wish.write(tmp_path)
    assert Wish.read(tmp_path) == wish


def test_without_a_readable_wish_one_worker_and_everything_is_wanted(tmp_path):
    assert Wish.read(tmp_path) == Wish(1, ())
    for text in ("", "[]", '{"workers": "two", "only": []}', '{"workers": 2}'):
        (tmp_path / "wanted.json").write_text(text)
        assert Wish.read(tmp_path) == Wish(1, ())
