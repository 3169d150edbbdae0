"""Run a program under another account: ``python as_account.py UID GID REACH PROGRAM ARGUMENT...``.

Root uses it for PostgreSQL, which refuses to be root. With REACH 1 the program keeps one right of root's, to pass
folders that are closed to its account (CAP_DAC_OVERRIDE): so a stack works under ``/root`` or ``mktemp -d`` without
opening these folders to everybody. The file runs by itself, without the project, and is replaced by the program.
"""

import ctypes
import os
import sys

# linux/prctl.h, linux/securebits.h, linux/capability.h
_PR_SET_SECUREBITS = 28
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
# Rights survive the change of account, and access(2) counts them, by which initdb looks for its programs.
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1


def become(uid: int, gid: int, *, reach: bool) -> None:
    """Leave root for good.

    Raises:
        OSError: the kernel or the container does not allow it.
    """
    if reach:
        _prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if reach:
        _keep_only(1 << _CAP_DAC_OVERRIDE)
        _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE)


def _prctl(option: int, *values: int) -> None:
    padded = (*values, 0, 0, 0, 0)[:4]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(ctypes.c_int(option), *(ctypes.c_ulong(value) for value in padded)):
        raise OSError(ctypes.get_errno(), f"prctl {option}: {os.strerror(ctypes.get_errno())}")


def _keep_only(rights: int) -> None:
    """Set effective, permitted and inheritable rights; capset(2) takes two words of 32 rights each."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(rights, rights, rights, 0, 0, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(header, data):
        raise OSError(ctypes.get_errno(), f"capset: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    uid_text, gid_text, reach_text, *program = sys.argv[1:]
    become(int(uid_text), int(gid_text), reach=reach_text == "1")
    os.chdir("/")
    os.execv(program[0], program)  # noqa: S606 -- the program takes this process over
