import json
import socket

import pytest

from streams.embedded import ports
from streams.settings import SettingsError


def test_ports_are_chosen_free_and_different(tmp_path):
    chosen = ports.choose(tmp_path, {})
    assert chosen.keys() == ports.VARIABLES.keys()
    assert len(set(chosen.values())) == 4
    assert all(ports.is_free(number) for number in chosen.values())


def test_the_ports_of_the_last_start_are_taken_again(tmp_path):
    last = ports.choose(tmp_path, {})
    (tmp_path / "stack.json").write_text(json.dumps({"ports": last}))
    assert ports.choose(tmp_path, {}) == last


def test_a_last_port_that_somebody_took_meanwhile_is_replaced(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        (tmp_path / "stack.json").write_text(json.dumps({"ports": {"kafka": taken}}))
        assert ports.choose(tmp_path, {})["kafka"] != taken


def test_a_last_port_that_is_now_asked_for_elsewhere_is_replaced(tmp_path):
    last = ports.choose(tmp_path, {})
    (tmp_path / "stack.json").write_text(json.dumps({"ports": last}))
    chosen = ports.choose(tmp_path, {"TWIN_HTTP_PORT": str(last["kafka"])})
    assert chosen["http"] == last["kafka"] != chosen["kafka"]


def test_a_taken_port_is_named_with_the_variable_and_the_program(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        number = other.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"port {number} \(TWIN_DATABASE_PORT\) is taken.*another port"):
            ports.choose(tmp_path, {"TWIN_DATABASE_PORT": str(number)})


def test_the_port_of_a_server_that_exists_elsewhere_is_nobodys_business(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        number = str(other.getsockname()[1])
        ports.choose(tmp_path, {"TWIN_KAFKA_PORT": number, "TWIN_KAFKA": "kafka:9092"})


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"TWIN_KAFKA_PORT": "kafka"}, "TWIN_KAFKA_PORT is 'kafka'; it has to be a whole number"),
        ({"TWIN_HTTP_PORT": "70000"}, "TWIN_HTTP_PORT is 70000; it has to be between 1 and 65535"),
        ({"TWIN_HTTP_PORT": "23999", "TWIN_KAFKA_PORT": "23999"}, "are both 23999"),
    ],
)
def test_ports_that_cannot_be_are_refused_in_a_sentence(tmp_path, environment, sentence):
    with pytest.raises(SettingsError, match=sentence):
        ports.choose(tmp_path, environment)
