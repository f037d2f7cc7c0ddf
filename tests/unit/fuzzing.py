"""Hostile alignments and face pictures, thousands of them, read in a process that may take little memory and time.

Run as a program, with the folder to work in and the number of cases of each kind: prints, as JSON, what came of them.
"""

import collections
import copy
import json
import pickle
import pickletools
import random
import resource
import struct
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgpack
import numpy as np

from faceset.alignments.files import fsa_bytes, msgpack_bytes, read_alignments
from faceset.errors import FacesetError
from faceset.training.pictures.png import header_text, read_header
from factory import png
from sample_face import face

MEMORY_BYTES = 512 * 2**20
CPU_SECONDS = 120
# Events of Python itself (see its table of audit events) that reading a file has no use for.
FORBIDDEN = ("exec", "os.", "subprocess.", "socket.", "shutil.", "pickle.find_class", "ctypes.", "marshal.")
SOURCE = {
    "alignments_version": 2.4,
    "original_filename": "a_0.png",
    "face_index": 0,
    "source_filename": "a.jpg",
    "source_is_video": False,
    "source_frame_dims": [360, 640],
}


def sample(as_arrays: bool = False) -> dict[str, Any]:
    """Alignments of two frames, with lists as long as real ones."""
    faces = [face(identity={"m": [number / 7 for number in range(600)]}, thumb=[*range(256)] * 5) for _ in range(2)]
    if as_arrays:
        for each in faces:
            each["landmarks_xy"] = np.array(each["landmarks_xy"], np.float32)
            each["thumb"] = np.array(each["thumb"], np.uint8)
            each["x"] = np.float64(3)
    frames = {"a.jpg": {"faces": faces, "video_meta": {}}, "b.jpg": {"faces": [face()], "video_meta": {}}}
    return {"__meta__": {"version": 2.4}, "__data__": frames}


# Damage to bytes


def damaged(data: bytes, rng: random.Random) -> bytes:
    """The bytes with a few flipped, cut off, taken out, doubled, or put elsewhere."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        start = rng.randrange(len(changed) + 1)
        end = min(len(changed), start + rng.choice((1, 2, 8, 100, 5000)))
        kind = rng.randrange(6)
        if kind == 0:
            changed[start : start + 1] = bytes([rng.randrange(256)])
        elif kind == 1:
            changed[start:end] = rng.randbytes(min(8, end - start))
        elif kind == 2:
            del changed[start:end]
        elif kind == 3:
            changed[start:start] = changed[start:end]
        elif kind == 4:
            changed[start:start] = rng.choice((b"\xff" * 4, bytes(8), b"\xff" * 8, b"]" * 50))
        else:
            del changed[rng.choice((start, len(changed) // 2)) :]
    return bytes(changed)


# Damage to values

ODD_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**31, 2**63 - 1, -(2**63), 1e308, float("nan"), float("inf"), "", "text", b"", b"\0" * 70),
    *([], {}, [[]], {"": {}}, [0.5] * 4, [1] * 2000, [[0.5, 1.5]] * 68, [[1.0, 2.0]] * 99, ["a"], {"version": 2.4}),
)


def with_odd_value(value: Any, rng: random.Random, circles: bool = False) -> Any:
    """A copy with one of its parts, at any depth, replaced, removed, or under another name; or that holds itself."""
    value = copy.deepcopy(value)
    parents = [part for part in _containers(value) if part]
    for _ in range(rng.choice((1, 1, 2))):
        parent = rng.choice(parents)
        key = rng.choice(list(parent)) if isinstance(parent, dict) else rng.randrange(len(parent))
        other = rng.choice(parents)
        odd = rng.choice((*ODD_VALUES, other if circles else copy.deepcopy(other)))
        if isinstance(parent, dict) and rng.random() < 0.2:
            parent[rng.choice(("odd", "", "../x", "\ud800", "a\0"))] = odd
        elif rng.random() < 0.1:
            parent.clear()
            parents = [part for part in _containers(value) if part] or [[0]]
        else:
            parent[key] = odd
    return value


def _containers(value: Any, depth: int = 0) -> Iterator[Any]:
    if isinstance(value, dict | list) and depth < 8:
        yield value
        for part in value.values() if isinstance(value, dict) else value[:3]:
            yield from _containers(part, depth + 1)


# Damage to programs: a pickle is one


def opcode_snippets(canary: Path) -> list[bytes]:
    """Opcodes that an attacker would put into a pickle."""
    text = lambda word: b"\x8c" + bytes([len(word)]) + word.encode()  # noqa: E731
    array = text("numpy._core.multiarray") + text("_reconstruct") + b"\x93" + b"(tR"
    dtype = text("numpy") + text("dtype") + b"\x93" + text("f8") + b"\x89\x88\x87R"
    lengths = [struct.pack("<Q", length) for length in (2**31, 2**40, 2**63 - 1, 2**64 - 1)]
    return [
        b"cos\nsystem\n" + text(f"touch {canary}") + b"\x85R",
        text("builtins") + text("open") + b"\x93" + text(str(canary)) + text("w") + b"\x86R",
        *(b"r" + struct.pack("<I", number) for number in (2**20, 2**28, 2**31, 2**32 - 1)),
        *(b"j" + struct.pack("<I", number) for number in (5, 2**31)),
        *(opcode + length for opcode in (b"\x8d", b"\x8e", b"\x96", b"\x95") for length in lengths),
        *(opcode + struct.pack("<I", 2**31 - 1) for opcode in (b"B", b"X", b"T", b"\x8b")),
        *(b"q\xff", b"h\xff", b"2" * 100, b"0" * 3, b"1", b"(" * 500, b")" * 500, b"\x85" * 500, b"\x94" * 1000, b"."),
        *(b"]" * 5000 + b"a" * 4999, b"(" * 2000 + b"t" * 2000, b"}" * 100, b"\x8f", b"\x90", b"\x91", b"b", b"R"),
        *(
            b"\x82\x01",
            b"\x84\xff\xff\xff\x7f",
            b"Pid\n",
            b"Q",
            b"\x97",
            b"\x98",
            b"\x81",
            b"\x92",
            b"o",
            b"I5\n",
            b"F1\n",
        ),
        b"ios\nsystem\n",
        array
        + b"(K\x01"
        + 2 * (b"J" + struct.pack("<i", 2**31 - 1))
        + b"\x86"
        + dtype
        + b"\x89C\x08"
        + bytes(8)
        + b"tb",
        array + b"N}" + text("__class__") + text("x") + b"s\x86b",
        b"\x8a\xff" + b"\x7f" * 255,
        b"(" + b"K\x05" * 2000 + b"e",
        b"(" + b"G" + bytes(8) + b"e",
    ]


def reprogrammed(data: bytes, snippets: list[bytes], rng: random.Random) -> bytes:
    """A pickle with opcodes put in, left out, repeated, or of another kind, all others being whole."""
    ends = _boundaries(data)
    changed = data
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.choice(ends)
        kind = rng.randrange(4)
        if kind == 0:
            changed = changed[:at] + rng.choice(snippets) + changed[at:]
        elif kind == 1:
            changed = changed[:at] + bytes([rng.randrange(256)]) + changed[at + 1 :]
        elif kind == 2:
            other = rng.choice(ends)
            changed = changed[:at] + changed[other : other + rng.choice((1, 40, 3000))] + changed[at:]
        else:
            changed = changed[:at] + changed[rng.choice(ends) :]
    return changed


_known_boundaries: dict[bytes, list[int]] = {}


def _boundaries(data: bytes) -> list[int]:
    if data not in _known_boundaries:
        every = [position for _, _, position in pickletools.genops(data) if position is not None]
        # Most opcodes are entries of long lists, as most of a file are: take some of those, and all others.
        rare = [position for position in every if data[position] not in b"KG"]
        _known_boundaries[data] = rare + every[:: max(1, len(every) // len(rare))]
    return _known_boundaries[data]


def bombs() -> Iterator[bytes]:
    """Pickles that are small, and would not be when read."""
    for repeated in (
        b"]",
        b"}",
        b"(",
        b"N",
        b"K\x01",
        b"](",
        b"]a",
        b"\x94",
        b")\x85",
        b"M\x01\x02",
        b"G\x7f" + bytes(7),
    ):
        for head in (b"\x80\x04]", b"\x80\x04](", b"\x80\x04}\x8c\x01a("):
            yield head + repeated * (4_000_000 // len(repeated)) + b"e."
    nested = b"\x80\x04](NNNNNNNNNNe\x94"
    for level in range(100):
        nested += b"](" + b"h" + bytes([level]) + (b"h" + bytes([level])) * 20 + b"e\x94"
    yield nested + b"."
    for length in (2**24, 2**30):
        yield b"\x80\x04\x8e" + struct.pack("<Q", length) + bytes(2**24) + b"."


# The kinds of cases


def cases(count: int, canary: Path) -> Iterator[tuple[str, str, bytes]]:
    """Kind, suffix and content of every hostile file."""
    rng = random.Random(20)
    plain, arrays = sample(), sample(as_arrays=True)
    pickles = [
        *(pickle.dumps(plain, protocol) for protocol in (2, 4)),
        *(pickle.dumps(arrays, protocol) for protocol in (2, 5)),
        zlib.decompress(fsa_bytes(plain)),
    ]
    snippets = opcode_snippets(canary)
    packed = msgpack_bytes(plain)
    black = np.zeros((8, 8, 3), np.uint8)
    picture = png(black, header_text(face(), SOURCE))
    literal = {"alignments": {key: value for key, value in face().items() if key != "thumb"}, "source": SOURCE}
    text = repr(literal).encode()

    kinds: dict[str, tuple[str, Callable[[], bytes]]] = {
        "fsa bytes": ("fsa", lambda: damaged(fsa_bytes(plain), rng)),
        "pickle bytes": ("fsa", lambda: zlib.compress(damaged(rng.choice(pickles), rng), 1)),
        "pickle opcodes": ("fsa", lambda: zlib.compress(reprogrammed(rng.choice(pickles), snippets, rng), 1)),
        "pickle values": ("fsa", lambda: zlib.compress(pickle.dumps(with_odd_value(plain, rng, circles=True), 4), 1)),
        "msgpack bytes": ("msgpack", lambda: damaged(packed, rng)),
        "msgpack values": (
            "msgpack",
            lambda: msgpack.packb(with_odd_value(plain, rng), unicode_errors="surrogatepass"),
        ),
        "msgpack heads": ("msgpack", lambda: packed[: rng.choice((1, 30, 60))] + rng.choice(HUGE_HEADS) * 600),
        "png bytes": ("png", lambda: damaged(picture, rng)),
        "png text": ("png", lambda: png(black, damaged(text, rng).decode("latin-1"))),
        "png values": ("png", lambda: png(black, ascii(with_odd_value(literal, rng)))),
    }
    for kind, (suffix, make) in kinds.items():
        for _ in range(count):
            yield kind, suffix, make()
    for bomb in bombs():
        yield "pickle bombs", "fsa", zlib.compress(bomb, 9)
    for bomb in text_bombs():
        yield "png bombs", "png", png(black, bomb)


HUGE_HEADS = (
    b"\xdd\xff\xff\xff\xff",
    b"\xdd\x00\x00\xff\xff",
    b"\xdf\x00\xff\xff\xff",
    b"\xc6\x7f\xff\xff\xff",
    b"\x91",
)


def text_bombs() -> Iterator[str]:
    """Literals that are small, and would not be when parsed."""
    for repeated in (
        "1,",
        "[],",
        "-",
        "1+",
        "(",
        "[",
        "{",
        "''",
        "'' ",
        "1if 1else ",
        "not ",
        "f'{1}'",
        "{1:",
        "a.",
        "\\",
    ):
        for length in (50_000, 4_000_000):
            yield "[" + repeated * (length // len(repeated)) + "]"
    yield "9" * 4_000_000
    yield repr(b"\xff" * 1_000_000)


def read(path: Path) -> None:
    """Read a file as the product does."""
    if path.suffix == ".png":
        read_header(path.read_bytes(), str(path))
    else:
        read_alignments(path)


def main(folder: Path, count: int) -> None:
    """Read all cases, and print what came of them."""
    canary = folder / "canary"
    outcomes: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    wrong: list[str] = []
    slowest, watching = 0.0, False

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and (event.startswith(FORBIDDEN) or (event == "open" and Path(str(arguments[0])).parent != folder)):
            wrong.append(f"did {event} {arguments!r:.100}")

    limit_resources()
    sys.addaudithook(watch)
    for number, (kind, suffix, content) in enumerate(cases(count, canary)):
        path = folder / f"case.{suffix}"
        path.write_bytes(content)
        started = time.process_time()
        watching = True
        try:
            read(path)
            outcome = "read"
        except FacesetError:
            outcome = "refused"
        except BaseException as error:
            outcome = type(error).__name__
            wrong.append(f"{kind}, case {number}: {error!r:.200}")
        watching = False
        seconds = time.process_time() - started
        if seconds > slowest:
            slowest, slowest_case = seconds, f"{kind}, case {number}"
        outcomes[kind][outcome] += 1
    print(
        json.dumps(
            {
                "outcomes": outcomes,
                "wrong": wrong[:20],
                "slowest_seconds": round(slowest, 2),
                "slowest_case": slowest_case,
                "peak_mb": _status_bytes("VmHWM") >> 20,
                "canary": canary.exists(),
            }
        )
    )


def limit_resources() -> None:
    """Allow this process half a gigabyte more than its libraries have taken, and some minutes."""
    resource.setrlimit(resource.RLIMIT_AS, (_status_bytes("VmSize") + MEMORY_BYTES,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))


def _status_bytes(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
