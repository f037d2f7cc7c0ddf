import errno
import pickle
import struct

import numpy as np
import pytest

from faceset.alignments.pickles import numbers as pickle_numbers
from faceset.alignments.pickles.reader import Limits, load
from faceset.errors import FacesetError


def loads(data, name, limits=None):
    return load([data], name, limits)


def listed(value):
    """What was read, with lists where runs of numbers came as arrays."""
    if isinstance(value, list):
        return [listed(item) for item in value]
    if isinstance(value, dict):
        return {key: listed(item) for key, item in value.items()}
    return value.tolist() if isinstance(value, np.ndarray) else value


class Calls:
    """Pickles as a call of any function with any arguments."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def text(word):
    return b"\x8c" + bytes([len(word)]) + word.encode()


def named(module, name):
    """The opcodes that put a module's member on the stack."""
    return text(module) + text(name) + b"\x93"


@pytest.mark.parametrize("protocol", range(2, 6))
def test_plain_containers_come_back_equal(protocol):
    value = {"a": [1, 2.5, None, True, -(2**40)], "b": (b"", b"\x00\xff", "ü"), "c": {"d": []}}
    assert loads(pickle.dumps(value, protocol), "file") == value


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("dtype", ["?", "u1", "i4", "i8", "f2", "f4", "f8", ">f4", ">i2"])
def test_arrays_and_scalars_of_plain_numbers_come_back_equal(protocol, dtype):
    array = (np.arange(12).reshape(3, 4) * 3).astype(dtype)
    value = [array, array.T, array[1:, ::2], np.zeros((0, 2), dtype), array[2, 3]]
    read = loads(pickle.dumps(value, protocol), "file")
    for before, after in zip(value[:4], read[:4], strict=True):
        assert after.dtype == before.dtype.newbyteorder("=")
        np.testing.assert_array_equal(after, before)
    assert type(read[4]) in (int, float, bool)
    assert read[4] == array[2, 3]


@pytest.mark.parametrize("protocol", [2, 3])
def test_both_spellings_of_numpys_inner_modules_are_read(protocol):
    data = pickle.dumps([np.eye(2), np.float32(3)], protocol)
    assert b"numpy._core" in data
    for spelling in (data, data.replace(b"numpy._core", b"numpy.core")):
        array, number = loads(spelling, "file")
        np.testing.assert_array_equal(array, np.eye(2))
        assert number == 3


def test_a_pickle_that_would_run_a_command_is_refused_and_does_not_run_it(tmp_path):
    made = tmp_path / "made"
    data = pickle.dumps({"faces": Calls(open, str(made), "w")})
    with pytest.raises(FacesetError, match=r"bad\.fsa.*'_?io\.open'"):
        loads(data, "bad.fsa")
    assert not made.exists()
    pickle.loads(data)["faces"].close()
    assert made.exists()  # the attack is a real one


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("numpy", "load"),
        ("numpy", "fromfile"),
        ("numpy.core.multiarray", "fromfile"),
        ("numpy._core.multiarray", "_reconstruct.__globals__"),
        ("faceset.alignments.pickles.reader", "loads"),
        ("copyreg", "_reconstructor"),
    ],
)
def test_every_other_name_is_refused_by_name(module, name):
    with pytest.raises(FacesetError, match=f"'{module}.{name}'".replace(".", r"\.")):
        loads(b"\x80\x04" + named(module, name) + b".", "bad.fsa")


@pytest.mark.parametrize(
    "value",
    [
        np.array([{}], dtype=object),
        np.array(["text"]),
        np.array([1j]),
        np.zeros(2, dtype=[("a", "f4")]),
        np.array(["2020-01-01"], dtype="M8[D]"),
        {1, 2},
        frozenset([1]),
        Calls(bytes, 10**9),
        Calls(np.ndarray, (10**6, 10**6)),
        Calls(np.dtype, "O"),
        1j,
    ],
    ids=lambda value: type(value).__name__,
)
def test_objects_that_alignments_never_hold_are_refused(value):
    with pytest.raises(FacesetError, match=r"^bad\.fsa: refused, because it holds"):
        loads(pickle.dumps([value]), "bad.fsa")


def test_an_array_whose_shape_does_not_fit_its_bytes_is_refused():
    scalar = named("numpy._core.multiarray", "_reconstruct") + b"(tR"
    dtype = named("numpy", "dtype") + text("f8") + b"\x89\x88\x87R"
    huge = b"\x4a" + struct.pack("<i", 2**31 - 1)
    state = b"(K\x01" + huge + huge + b"\x86" + dtype + b"\x89" + b"C\x08" + bytes(8) + b"t"
    with pytest.raises(FacesetError, match="shape"):
        loads(b"\x80\x04" + scalar + state + b"b.", "bad.fsa")


def test_a_pickle_cannot_change_the_functions_that_read_the_next_one():
    tampering = b"\x80\x04" + named("numpy._core.multiarray", "scalar") + b"N}" + text("__defaults__") + b")s\x86b."
    with pytest.raises(FacesetError, match="change"):
        loads(tampering, "bad.fsa")
    assert pickle_numbers._scalar.__defaults__ is None


def test_lists_that_repeat_one_another_are_refused_before_they_fill_memory():
    bomb = [0.5] * 1000
    for _ in range(8):
        bomb = [bomb] * 1000
    data = pickle.dumps(bomb)
    assert len(data) < 50_000
    with pytest.raises(FacesetError, match="repeated"):
        loads(data, "bad.fsa", Limits(repeated=100_000))


def test_one_vector_shared_by_many_faces_is_read():
    vector = [0.25] * 512
    assert listed(loads(pickle.dumps([vector] * 1100), "file")) == [vector] * 1100


def test_containers_nested_deeper_than_alignments_are_refused_and_so_are_cycles():
    deep = b"\x80\x04" + b"]" * 5000 + b"a" * 4999 + b"."
    circle = [[]]
    circle[0].append(circle)
    for data in (deep, pickle.dumps(circle)):
        with pytest.raises(FacesetError, match="nested"):
            loads(data, "bad.fsa")


@pytest.mark.parametrize(
    "data", [b"", b"not a pickle", b"\x80\x04]", pickle.dumps({"a": [1] * 50})[:-20], b"\x80\x04h\x07."]
)
def test_damaged_bytes_end_in_a_clear_message(data):
    with pytest.raises(FacesetError, match=r"^cut\.fsa: not readable .* damaged or cut short"):
        loads(data, "cut.fsa")


@pytest.mark.parametrize("fault", [MemoryError("full"), OSError(errno.EIO, "the disk fails")], ids=repr)
def test_full_memory_and_a_failing_disk_are_no_damage_of_the_file(fault):
    def chunks():
        yield pickle.dumps({"a": [1] * 50})[:-20]
        raise fault

    with pytest.raises(type(fault)) as caught:
        load(chunks(), "whole.fsa")
    assert caught.value is fault


def long_lists():
    """Lists of every length and kind that runs of numbers could be mistaken for, or cut."""
    lengths = (0, 1, 2, 3, 4, 5, 68, 999, 1000, 1001, 1003, 2000, 2500)
    points = [[[index / 3, -float(index)] for index in range(length)] for length in lengths]
    return {
        "bytes": [[index % 256 for index in range(length)] for length in lengths],
        "floats": [[index / 7 for index in range(length)] for length in lengths],
        "points": points,
        "mixed": [
            [1.5] * 1000 + [1] * 1000,
            [1] * 1000 + ["a"],
            [1.5] * 20 + [None],
            [[1.0, 2.0]] * 5 + [[1.0]],
            [300] * 9,
        ],
        "shared rows": [points[6][:], [points[6][3]], [points[6]] * 3],
        "rows of three": [[1.0, 2.0, 3.0]] * 68,
    }


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("chunk", [1, 7, 5000, 10**9])
def test_lists_of_numbers_come_back_equal_whatever_their_length_and_the_chunks_read(protocol, chunk):
    value = {
        f"{name} {number}": lists for number in range(1 if chunk < 10 else 5) for name, lists in long_lists().items()
    }
    data = pickle.dumps(value, protocol)
    chunks = (data[start : start + chunk] for start in range(0, len(data), chunk))
    assert listed(load(chunks, "file")) == value


@pytest.mark.parametrize("protocol", range(2, 6))
def test_long_lists_become_arrays(protocol):
    value = pickle.loads(pickle.dumps([long_lists(), long_lists()]))  # the frames of protocol 4 end where they like
    for lists in loads(pickle.dumps(value, protocol), "file"):
        assert all(read.dtype == np.uint8 for read in lists["bytes"][6:] if isinstance(read, np.ndarray))
        assert [type(read) for read in lists["floats"][6:]] == [np.ndarray] * 7
        # Where the numbers of what is remembered grow longer by a byte, one run is missed.
        assert protocol < 4 or lists["points"][6].shape == (68, 2)


@pytest.mark.parametrize("index", [2**20, 2**31, 2**32 - 1])
def test_a_pickle_cannot_number_what_it_remembers_so_that_the_table_fills_memory(index):
    data = b"\x80\x02]r" + struct.pack("<I", index) + b"."
    with pytest.raises(FacesetError, match="not readable"):
        loads(data, "bad.fsa")


def test_a_pickle_of_more_objects_than_it_may_have_is_refused():
    with pytest.raises(FacesetError, match="far more objects than bytes"):
        loads(b"\x80\x04](" + b"]" * 5000 + b"e.", "bad.fsa", Limits(steps=1000))


@pytest.mark.parametrize("key", [1.5, (1, 2), b"a", 2**61 - 1, None])
def test_keys_that_could_be_chosen_to_be_slow_are_refused(key):
    with pytest.raises(FacesetError, match="a key of the type"):
        loads(pickle.dumps({key: 1}), "bad.fsa")
