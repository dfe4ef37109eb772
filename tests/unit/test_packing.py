"""Packing: what was packed is unpacked; anything else is refused, and in no more memory than the limit allows."""

import tracemalloc

import pytest
import zstandard

from registry_tools.registry.packing import packed, unpacked

MAGIC = zstandard.FRAME_HEADER
BLOCK = 1 << 17
MANY = b"\x02\x00\x10x"  # a block of 128 KiB of one letter, and more to come
LAST = b"\x03\x00\x10x"
TWO_MIB = b"\x58"
WORDS = b"a manifest, packed " * 1000


def frame(*blocks: bytes, window: bytes = TWO_MIB, size: int | None = None) -> bytes:
    """A frame by hand (RFC 8878, section 3.1.1), saying `size` of itself or nothing."""
    said = b"" if size is None else size.to_bytes(4, "little")
    return MAGIC + (b"\x00" if size is None else b"\x80") + window + said + b"".join(blocks)


@pytest.mark.parametrize("content", [b"", b"x", WORDS, bytes(3 << 20), bytes(range(256)) * 20_000])
def test_what_is_packed_is_unpacked(content: bytes) -> None:
    assert unpacked(packed([content]), len(content)) == content


@pytest.mark.parametrize("cut", [1, 1000, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_the_pieces_do_not_show_in_the_frame(cut: int) -> None:
    content = bytes(range(256)) * 20_000 if cut > 1 else WORDS
    pieces = [memoryview(content)[at : at + cut] for at in range(0, len(content), cut)]
    assert packed(pieces) == packed([content])


@pytest.mark.parametrize("content", [b"", WORDS, bytes(range(256)) * 20_000])
def test_any_zstandard_packs_and_unpacks_the_same(content: bytes) -> None:
    assert zstandard.ZstdDecompressor().decompress(packed(iter([content, b""]))) == content
    assert unpacked(zstandard.ZstdCompressor(level=3).compress(content), len(content)) == content
    assert unpacked(zstandard.ZstdCompressor(level=3, write_content_size=False).compress(content)) == content


def test_a_frame_by_hand_is_one() -> None:
    """Otherwise the refusals below would be of the hand."""
    assert unpacked(frame(MANY, LAST, size=2 * BLOCK), 2 * BLOCK) == b"x" * 2 * BLOCK


def test_one_byte_over_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 18,999 bytes"):
        unpacked(packed([WORDS]), len(WORDS) - 1)


@pytest.mark.parametrize("size", [None, 5, 1 << 20])
def test_a_bomb_is_refused_in_bounded_memory(size: int | None) -> None:
    bomb = frame(MANY * 50_000, LAST, size=size)  # 200 KB that are 6.5 GB, whatever they say
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"more than 1,048,576 bytes|damaged"):
        unpacked(bomb, 1 << 20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 << 20


@pytest.mark.parametrize("size", [BLOCK - 1, BLOCK + 1, 1 << 31])
def test_a_frame_that_lies_about_its_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="damaged"):
        unpacked(frame(LAST, size=size), 1 << 20)


@pytest.mark.parametrize(
    "content",
    [
        frame(LAST, window=b"\x90"),  # 2^28
        frame(LAST, window=b"\xf8"),  # 2^41
        MAGIC + b"\xa0" + (1 << 29).to_bytes(4, "little") + LAST,  # a single segment, whose window is its size
    ],
    ids=["256 MiB", "2 TiB", "one segment"],
)
def test_a_window_that_would_take_all_memory_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"it asks for a window|too much memory"):
        unpacked(content, 1 << 30)


@pytest.mark.parametrize("tail", [packed([b"more"]), b"\x00", b"x" * 5000, b"\x50\x2a\x4d\x18\x00\x00\x00\x00"])
def test_what_follows_the_frame_is_refused(tail: bytes) -> None:
    for content in (b"", WORDS):
        with pytest.raises(ValueError, match="something follows its end"):
            unpacked(packed([content]) + tail, 1 << 20)


def test_a_frame_that_is_cut_off_anywhere_is_refused() -> None:
    whole = packed([WORDS])
    for at in range(len(whole)):
        with pytest.raises(ValueError, match=r"cut off|not zstandard|damaged"):
            unpacked(whole[:at], 1 << 20)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"\x1f\x8b\x08\x00",
        WORDS,
        b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd",
        zstandard.ZstdCompressor(dict_data=zstandard.ZstdCompressionDict(WORDS, dict_type=1)).compress(WORDS),
        packed([WORDS])[:-5] + b"\xff" * 5,
    ],
    ids=["nothing", "json", "gzip", "text", "skippable", "dictionary", "damaged"],
)
def test_what_is_no_frame_of_ours_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"not zstandard|damaged"):
        unpacked(content, 1 << 20)
