"""A JSON text and undecoded parts of it in, the objects of which they are the members out.

msgspec gives a part (`Raw`) without the place where it stands; the address of its bytes tells.
"""

import ctypes
import re
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Raw

_NEAR: Final = 1 << 14  # bytes between an entry's key and its name, of which dbt writes fifty
_COLON: Final = re.compile(rb"\s*:\s*")
_BEYOND: Final = re.compile(r"trailing characters \(byte (\d+)\)")
_ANYTHING: Final = msgspec.json.Decoder(Raw)


class _Buffer(ctypes.Structure):
    """Py_buffer, of the stable ABI (https://docs.python.org/3/c-api/buffer.html)."""

    _fields_ = (
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        *((name, ctypes.c_void_p) for name in ("format", "shape", "strides", "suboffsets", "internal")),
    )


def values_around(whole: bytes, parts: Mapping[str, Raw]) -> dict[str, memoryview] | None:
    """For every key the object that stands under it in `whole` and has the part as a member's value.

    None when one of them is not found at once: its key written with escapes, or far from the part. `whole` is JSON.
    """
    start, view = _address(whole), memoryview(whole)
    found = {}
    for key, part in parts.items():
        value = _value_around(view, whole, msgspec.json.encode(key), _address(part) - start)
        if value is None:
            return None
        found[key] = value
    return found


def _value_around(view: memoryview, whole: bytes, key: bytes, inside: int) -> memoryview | None:
    """Only objects around an entry have it inside; of these the entry alone has its key, as keys of nodes are ids."""
    if not 0 <= inside < len(whole):
        return None
    nearest = max(0, inside - _NEAR)
    at = whole.rfind(key, nearest, inside)
    while at >= 0:
        if colon := _COLON.match(whole, at + len(key)):
            end = _end_of(view[colon.end() :])
            if end is not None and colon.end() < inside < colon.end() + end:
                return view[colon.end() : colon.end() + end]
        at = whole.rfind(key, nearest, at)
    return None


def _end_of(text: memoryview) -> int | None:
    """How long the value is with which the text begins. msgspec says where something follows that does not belong."""
    try:
        _ANYTHING.decode(text)
    except msgspec.DecodeError as error:
        beyond = _BEYOND.search(str(error))
        return int(beyond[1]) - 1 if beyond else None
    return None


def _address(of: bytes | Raw) -> int:
    buffer = _Buffer()
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(of), ctypes.byref(buffer), 0)
    try:
        return buffer.buf or 0
    finally:
        ctypes.pythonapi.PyBuffer_Release(ctypes.byref(buffer))
