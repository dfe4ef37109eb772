"""A file's pieces in, the one zstandard frame that a publication stores out, and back again within a limit."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Final

import zstandard

_LEVEL: Final = 3  # as small as gzip -6 and nine times as fast on a manifest
_MAX_UNPACKED: Final = 1 << 30
_PIECE: Final = 1 << 20
_MAX_WINDOW: Final = 1 << 27  # what zstd itself takes without being asked twice (--long=27)
# A block of 128 KiB can stand in four bytes, so that one step gives no more than 4 MiB.
_STEP: Final = 1 << 7


def packed(content: bytes | Iterable[bytes | memoryview]) -> bytes:
    """The content, or all pieces of it, as one frame; how it is cut into pieces does not change a byte of that.

    The pieces are not copied together, and other threads run meanwhile. The frame says its size, because readers of
    another make ask for it.
    """
    pieces = [content] if isinstance(content, bytes) else list(content)
    frame = zstandard.ZstdCompressor(level=_LEVEL).compressobj(size=sum(map(len, pieces)))
    return b"".join([*map(frame.compress, _gathered(pieces)), frame.flush()])


def unpacked(content: bytes, limit: int | None = None) -> bytes:
    """What was packed, of `limit` bytes (1 GiB) at most, which is kept to while unpacking: a header may say anything.

    Raises ValueError for what is not exactly one whole frame, or needs a window of more than 128 MiB.
    """
    try:
        return _unpacked(content, _MAX_UNPACKED if limit is None else limit)
    except zstandard.ZstdError as error:
        raise ValueError(f"damaged: {error}") from None


def _unpacked(content: bytes, limit: int) -> bytes:
    if not content.startswith(zstandard.FRAME_HEADER):
        raise ValueError("not zstandard")
    header = zstandard.get_frame_parameters(content)
    if header.window_size > _MAX_WINDOW:
        raise ValueError(f"it asks for a window of {header.window_size:,} bytes, more than {_MAX_WINDOW:,}")
    frame = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).decompressobj()
    view, found, at = memoryview(content), BytesIO(), 0
    while at < len(content) and not frame.eof:
        piece = frame.decompress(view[at : at + _STEP])
        at += _STEP
        if found.tell() + len(piece) > limit:
            raise ValueError(f"more than {limit:,} bytes")
        found.write(piece)
    if not frame.eof:
        raise ValueError("cut off")
    if frame.unused_data or at < len(content):
        raise ValueError("something follows its end")
    return found.getvalue()


def _gathered(pieces: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """The same content in fewer pieces: small ones joined, as each costs a call, and large ones as they are."""
    small: list[bytes | memoryview] = []
    size = 0
    for piece in pieces:
        if size + len(piece) > _PIECE:
            yield b"".join(small)
            small, size = [], 0
        if len(piece) > _PIECE:
            yield piece
        else:
            small.append(piece)
            size += len(piece)
    yield b"".join(small)
