import logging

from streams.journal import LOGGING, NowAndThen


def record(name, message, at_s, *values):
    made = logging.LogRecord(name, logging.ERROR, "", 0, message, values, None)
    made.created = at_s
    return made


def test_a_library_that_repeats_itself_is_heard_once_a_minute():
    kept = NowAndThen()
    heard = [kept.filter(record("aiokafka", "no answer from %s", 1000.0 + second, second)) for second in range(130)]
    assert [second for second, was_heard in enumerate(heard) if was_heard] == [0, 60, 120]


def test_another_complaint_and_our_own_words_are_always_heard():
    kept = NowAndThen()
    assert all(kept.filter(record("aiokafka", text, 1000.0)) for text in ("no answer", "no leader"))
    assert all(kept.filter(record("streams.worker", "starting over", 1000.0)) for _ in range(3))


def test_libraries_speak_from_warning_on_and_we_from_info_on():
    assert LOGGING["root"]["level"] == "WARNING"
    assert LOGGING["loggers"]["streams"]["level"] == "INFO"
