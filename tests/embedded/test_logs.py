import pytest

from streams.embedded import logs


def test_last_lines_come_without_terminal_sequences_and_empty_lines(tmp_path):
    log = tmp_path / "worker-1.log"
    log.write_bytes(b"\x1b[?25l\x08\x1b[?25h\n\x1b[31mred\x1b[0m\r\n\n  second \x1b]0;t\x07\n")
    assert logs.last_lines(log) == "red | second 0;t"


def test_last_lines_are_those_of_the_last_run(tmp_path):
    log = tmp_path / "kafka.log"
    log.write_text("of yesterday\n")
    start = logs.begin(log)
    with log.open("a") as file:
        file.write("of today\n")
    assert logs.last_lines(log, start) == "of today"


def test_endless_lines_are_cut_and_missing_logs_are_silent(tmp_path):
    log = tmp_path / "x.log"
    assert logs.last_lines(log) == ""
    log.write_text("a" * 100_000)
    assert len(logs.last_lines(log)) < 400


def test_the_last_complaint_is_found_whoever_wrote_it(tmp_path):
    log = tmp_path / "x.log"
    lines = [
        "2026-11-25 09:21:01,983 INFO streams: all is well",
        "2026-11-25 09:21:01,983 WARNING streams: starting over from the stored offsets",
        "2026-11-25T09:20:55,529 ERROR org.apache.kafka.x: disk is gone",
        "2026-11-25 09:20:54.171 UTC [14644] FATAL:  no space left",
        "2026-11-25 09:20:54.171 UTC [14644] LOG:  the word ERROR alone does not count",
    ]
    for count, expected in ((1, ""), (2, lines[1]), (3, lines[2]), (5, lines[3])):
        log.write_text("\n".join(lines[:count]) + "\n")
        assert logs.last_complaint(log) == expected


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-25T09:20:55,529 WARN org.apache.kafka.controller.QuorumController: Performing controller activation.",
        "2026-11-25T09:20:55,529 ERROR kafka.server.ControllerApis: (apiKey=CONTROLLER_REGISTRATION, apiVersion=0)",
        "2026-11-25T09:20:55,529 ERROR org.apache.kafka.controller.EventPerformanceMonitor: Exceptionally slow event",
        "2026-11-25 21:32:15,078 WARNING mode.timers: Timer commit is overlapping (interval=2.8 runtime=17.7)",
        '2026-11-25 09:20:54.171 UTC [14644] ERROR:  column "nope" does not exist at character 8',
        '2026-11-25 09:20:54.171 UTC [14644] ERROR:  syntax error at or near "selekt" at character 1',
        "2026-11-25 09:20:54.171 UTC [14644] FATAL:  the database system is starting up",
        '2026-11-25 09:20:54.171 UTC [14644] FATAL:  password authentication failed for user "twin"',
        "2026-11-25 09:21:01,983 ERROR asyncio: Unclosed AIOKafkaConsumer",
    ],
)
def test_what_is_harmless_is_no_complaint_and_hides_none(tmp_path, line):
    log = tmp_path / "x.log"
    log.write_text(f"{line}\n")
    assert logs.last_complaint(log) == ""
    real = "2026-11-25 09:20:54.171 UTC [14644] ERROR:  could not extend file: No space left on device"
    log.write_text(f"{real}\n{line}\n")
    assert logs.last_complaint(log) == real


def test_a_large_log_is_put_aside_at_the_next_start(tmp_path):
    log = tmp_path / "x.log"
    with log.open("wb") as file:
        file.truncate(logs._KEPT_BYTES + 1)
    assert logs.begin(log) == 0
    assert (tmp_path / "x.log.1").exists()
