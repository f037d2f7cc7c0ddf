import copy
import gc
import json
import pickle
import random
import time
import zlib

import numpy as np
import pytest

from faceset.alignments.entries import plain
from faceset.alignments.files import (
    face_landmarks,
    from_msgpack,
    fsa_bytes,
    iterate_msgpack,
    msgpack_bytes,
    read_alignments,
    read_msgpack,
)
from faceset.errors import FacesetError
from faceset.footage.files import default_alignments_path
from golden_data import GOLDEN, PHOTOS
from sample_face import as_in_file, face

OLD = GOLDEN / "old-versions"


def alignments(*faces, version=2.4, **frames):
    data = {"a.jpg": {"faces": list(faces), "video_meta": {}}, **frames}
    return {"__meta__": {"version": version}, "__data__": data}


def write(path, value):
    path.write_bytes(zlib.compress(pickle.dumps(value)))
    return path


@pytest.fixture
def fsa(tmp_path):
    return tmp_path / "alignments.fsa"


def read(fsa, value):
    return read_alignments(write(fsa, value))


def plain_pickle(content):
    return pickle.loads(zlib.decompress(content))


# What faceswap wrote


@pytest.mark.parametrize(
    "path",
    [PHOTOS / "alignments.fsa", GOLDEN / "video" / "video_alignments.fsa", GOLDEN / "remove" / "after.fsa"],
    ids=str,
)
def test_a_current_file_is_read_as_it_is_and_written_again_as_it_was(path):
    content = plain_pickle(path.read_bytes())
    alignments = read_alignments(path)
    assert as_in_file(alignments.data) == content
    assert list(alignments.frames) == list(content["__data__"])
    assert alignments.notes == ()
    assert plain_pickle(fsa_bytes(alignments.data)) == content
    assert as_in_file(from_msgpack(msgpack_bytes(alignments.data), "file").data) == content


@pytest.mark.parametrize("path", sorted(OLD.glob("*.fsa")), ids=lambda path: path.stem)
def test_older_files_hold_the_same_faces(path):
    current = read_alignments(PHOTOS / "alignments.fsa").frames
    older = read_alignments(path)
    version = float(path.name[1:4])
    assert plain_pickle(path.read_bytes())["__meta__"]["version"] == version
    assert older.data["__meta__"] == {"version": 2.4}
    assert list(older.frames) == list(current)
    for name, frame in current.items():
        for new, old in zip(frame["faces"], older.frames[name]["faces"], strict=True):
            assert all(old[key] == new[key] for key in ("x", "y", "w", "h"))
            np.testing.assert_array_equal(face_landmarks(old), face_landmarks(new))
            if version > 2.0:
                assert (plain(old["mask"]), old["thumb"]) == (plain(new["mask"]), new["thumb"])
            if version > 2.2:
                assert plain(old["identity"]) == plain(new["identity"])


def test_a_hash_of_version_2_0_is_kept_and_reported_but_not_written_for_faceswap():
    alignments = read_alignments(OLD / "v2.0_hash.fsa")
    assert len(alignments.notes) == 1
    assert "'hash'" in alignments.notes[0]
    assert "32 times" in alignments.notes[0]
    assert "frame_000001.jpg" in alignments.notes[0]
    first = alignments.frames["frame_000001.jpg"]["faces"][0]
    assert first["hash"] == "0123456789abcdef0123456789abcdef01234567"
    assert plain(from_msgpack(msgpack_bytes(alignments.data), "file").data) == plain(alignments.data)
    written = plain_pickle(fsa_bytes(alignments.data))["__data__"]["frame_000001.jpg"]["faces"][0]
    assert set(written) == {"x", "y", "w", "h", "landmarks_xy", "mask", "identity", "thumb"}


def test_float_times_of_old_videos_become_whole_numbers():
    frames = read_alignments(OLD / "v2.3_numpy_scalars_float_pts.fsa").frames
    times = [frame["video_meta"]["pts_time"] for frame in frames.values()]
    assert all(type(time) is int for time in times)
    assert all(type(frame["video_meta"]["keyframe"]) is bool for frame in frames.values())


def test_a_file_older_than_2_0_is_refused_with_what_to_do(fsa):
    with pytest.raises(FacesetError, match=r"alignments\.fsa: version 1\.0, older than 2\.0.*'detect'"):
        read(fsa, {"frame_000001.jpg": [face()]})


def test_a_file_newer_than_is_known_is_refused_with_what_to_do(fsa):
    with pytest.raises(FacesetError, match=r"version 2\.5, newer than 2\.4.*Update"):
        read(fsa, alignments(face(), version=2.5))


# What is kept


def test_empty_frames_odd_values_and_every_order_survive_both_forms(fsa):
    nan, infinity = float("nan"), float("inf")
    value = alignments(
        face(thumb=None, mask={}, identity={}),
        face(landmarks_xy=[[1.0, 2.0]] * 4),
        face(landmarks_xy=[[infinity, 2.0]] * 98, thumb=[]),
        **{
            "z.png": {"faces": [], "video_meta": {"pts_time": 512, "keyframe": False}},
            "b.png": {"faces": [face(x=2, y=1), face(x=1, y=2)], "video_meta": {}},
        },
    )
    fsa.write_bytes(fsa_bytes(value))
    assert as_in_file(read_alignments(fsa).data) == value
    assert list(read_alignments(fsa).frames) == ["a.jpg", "z.png", "b.png"]
    assert as_in_file(from_msgpack(msgpack_bytes(value), "file").data) == value
    unusable = read(fsa, alignments(face(landmarks_xy=[[nan, nan]] * 68)))
    assert np.isnan(face_landmarks(unusable.frames["a.jpg"]["faces"][0])).all()


def test_legacy_masks_are_dropped_and_reported(fsa):
    mask = face()["mask"]["bisenet"]
    found = read(fsa, alignments(face(mask={"components": mask, "bisenet": mask, "extended": mask})))
    assert list(found.frames["a.jpg"]["faces"][0]["mask"]) == ["bisenet"]
    assert len(found.notes) == 2
    assert "'components'" in found.notes[0]


def test_unknown_keys_are_kept_everywhere_and_only_the_fsa_is_without_them(fsa):
    odd = face(mood={"b": (1, np.arange(2)), "a": None})
    odd["mask"]["bisenet"]["edge"] = 3
    value = alignments(odd, **{"b.jpg": {"faces": [], "video_meta": {}, "shot": 7}})
    found = read(fsa, value)
    assert len(found.notes) == 3
    kept = found.frames["a.jpg"]["faces"][0]
    assert kept["mood"] == {"a": None, "b": [1, [0, 1]]}
    assert kept["mask"]["bisenet"]["edge"] == 3
    assert found.frames["b.jpg"]["shot"] == 7
    assert plain(from_msgpack(msgpack_bytes(found.data), "file").data) == plain(found.data)
    assert plain_pickle(fsa_bytes(found.data)) == alignments(face(), **{"b.jpg": {"faces": [], "video_meta": {}}})


# The same bytes for the same values


def rebuilt(value, random):
    """An equal value: no object shared where there was one, keys of faces in another order."""
    if isinstance(value, dict):
        keys = list(value)
        if "." not in "".join(map(str, keys)):  # the order of frames is told apart; of all other keys it is not
            random.shuffle(keys)
        return {"".join(list(key)): rebuilt(value[key], random) for key in keys}
    return [rebuilt(item, random) for item in value] if isinstance(value, list) else copy.deepcopy(value)


@pytest.mark.parametrize("written", [fsa_bytes, msgpack_bytes])
def test_bytes_depend_on_values_alone(written):
    one = face()
    shared = alignments(one, one, **{"b.jpg": {"faces": [one], "video_meta": {}}})
    shared["__data__"]["a.jpg"]["faces"][0]["identity"] = {"b": [1.0], "a": [2.0]}
    apart = rebuilt(shared, random.Random(3))
    assert apart == shared
    assert written(apart) == written(shared)
    numpy = copy.deepcopy(shared)
    for each in numpy["__data__"]["a.jpg"]["faces"]:
        each.update(landmarks_xy=np.array(one["landmarks_xy"]), thumb=np.array(one["thumb"], np.uint8), x=np.int64(10))
    assert written(numpy) == written(shared)


def test_writing_what_is_no_face_is_an_error_too():
    with pytest.raises(FacesetError, match="face 0: landmarks_xy"):
        fsa_bytes(alignments(face(landmarks_xy=[])))


# Strangers' files


def damaged(**changes):
    return face(**changes)


def masked(**changes):
    return face(mask={"m": face()["mask"]["bisenet"] | changes})


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("text", "expected a face, found str"),
        ({"x": 1, "y": 2}, "w, h, landmarks_xy missing"),
        (damaged(x="7"), "x: expected a whole number"),
        (damaged(h=float("nan")), "h: expected a whole number"),
        (damaged(w=None), "w: expected a whole number"),
        (damaged(y=True), "y: expected a whole number"),
        (damaged(landmarks_xy=[[1.0, 2.0]] * 67), "landmarks_xy: expected 4 or 68 or 98 rows of 2 numbers"),
        (damaged(landmarks_xy=[[1.0, 2.0, 3.0]] * 68), "landmarks_xy: expected 4 or 68 or 98 rows of 2 numbers"),
        (damaged(landmarks_xy=[[1.0, "2"]] * 68), "landmarks_xy: expected a list of numbers"),
        (damaged(landmarks_xy=np.zeros((68, 2, 1))), "landmarks_xy: expected a list of numbers"),
        (damaged(thumb=[256]), "thumb: expected a list of byte values"),
        (damaged(thumb=[1.5]), "thumb: expected a list of byte values"),
        (damaged(thumb=3), "thumb: expected a list of byte values"),
        (damaged(identity=[1.0]), "identity: expected entries by name"),
        (damaged(identity={"m": "vector"}), "identity 'm': expected a list of numbers"),
        (damaged(identity={1: [1.0]}), "expected text for every key"),
        (damaged(mask={"m": b""}), "mask 'm': expected a mask"),
        (damaged(mask={"m": {"mask": b""}}), "mask 'm': affine_matrix, interpolator, stored_size missing"),
        (masked(mask="text"), "mask 'm': mask: expected bytes"),
        (masked(affine_matrix=[[1.0, 2.0, 3.0]]), "mask 'm': affine_matrix: expected 2 or 3 rows of 3 numbers"),
        (masked(stored_size=10**6), "mask 'm': stored_size: expected 1 to 4096"),
        (masked(stored_centering="nose"), "mask 'm': stored_centering: expected face, head or legacy"),
        (damaged(mood=2**70), "at most 64 bits"),
    ],
)
def test_a_wrong_face_is_named_with_file_frame_and_what_was_expected(fsa, bad, said):
    with pytest.raises(FacesetError) as failure:
        read(fsa, alignments(face(), bad))
    assert f"{fsa}: frame 'a.jpg', face 1: " in str(failure.value)
    assert said in str(failure.value)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ([1], "expected alignments, found list"),
        ({"__meta__": {}, "__data__": {}}, "version as a number"),
        ({"__meta__": {"version": "2.4"}, "__data__": {}}, "version as a number"),
        ({"__meta__": {"version": float("nan")}, "__data__": {}}, "newer than"),
        ({"__meta__": {"version": 2.4}}, "frames under '__data__'"),
        ({"__meta__": {"version": 2.4}, "__data__": {"a.jpg": 5}}, "frame 'a.jpg': expected a list of faces"),
        ({"__meta__": {"version": 2.4}, "__data__": {"a.jpg": {}}}, "frame 'a.jpg': expected a list of faces"),
        ({"__meta__": {"version": 2.4}, "__data__": {7: []}}, "frame 7: expected a file name"),
        ({"__meta__": {"version": 2.4}, "__data__": {"../a.jpg": []}}, "expected a file name without its folder"),
        ({"__meta__": {"version": 2.4}, "__data__": {"": []}}, "expected a file name"),
        ({"__meta__": {"version": 2.4}, "__data__": {"\udcff.jpg": []}}, "expected a file name"),
        (alignments(**{"b.jpg": {"faces": [], "video_meta": {"pts_time": "x", "keyframe": 1}}}), "pts_time: expected"),
        (alignments(**{"b.jpg": {"faces": [], "video_meta": {"time": 1}}}), "frame 'b.jpg': video_meta: expected"),
    ],
)
def test_a_wrong_file_is_named_with_what_was_expected(fsa, bad, said):
    with pytest.raises(FacesetError) as failure:
        read(fsa, bad)
    assert str(fsa) in str(failure.value)
    assert said in str(failure.value)


def test_a_pickle_that_runs_a_command_does_not_run_it(fsa, tmp_path):
    made = tmp_path / "made"

    class Attack:
        def __reduce__(self):
            return open, (str(made), "w")

    with pytest.raises(FacesetError, match="refused"):
        read(fsa, alignments(face(thumb=Attack())))
    assert not made.exists()


def test_damaged_and_missing_files_end_in_a_clear_message(fsa, tmp_path):
    good = fsa_bytes(alignments(face()))
    for content, said in [
        (b"", "cut short"),
        (b"PK\x03\x04", "not zlib-compressed"),
        (good[:-30], "cut short"),
        (zlib.compress(b"no pickle"), "not readable"),
    ]:
        fsa.write_bytes(content)
        with pytest.raises(FacesetError, match=said):
            read_alignments(fsa)
    with pytest.raises(FacesetError, match="cannot be read"):
        read_alignments(tmp_path / "none.fsa")
    with pytest.raises(FacesetError, match=r"ending in \.fsa, \.msgpack or \.json"):
        read_alignments(write(tmp_path / "alignments.pkl", {}))
    with pytest.raises(FacesetError, match="msgpack"):
        from_msgpack(msgpack_bytes(alignments(face()))[:-5], "cut.msgpack")


def test_a_file_that_unpacks_to_fill_memory_is_refused(fsa):
    packer = zlib.compressobj(9)
    block = bytes(2**22)
    start = packer.compress(b"\x80\x04" + pickle.BINBYTES8 + (70 * 2**22).to_bytes(8, "little"))
    fsa.write_bytes(start + b"".join(packer.compress(block) for _ in range(70)) + packer.flush())
    with pytest.raises(FacesetError, match="unpacks to more than"):
        read_alignments(fsa)


# Other containers and places


def test_json_of_the_same_object_is_read(tmp_path):
    path = tmp_path / "alignments.json"
    value = alignments(face(mask={}))
    path.write_text(json.dumps(value))
    assert as_in_file(read_alignments(path).data) == value
    path.write_text("{")
    with pytest.raises(FacesetError, match="not readable as JSON"):
        read_alignments(path)
    path.write_text(json.dumps({"a.jpg": [face(mask={})]}))
    with pytest.raises(FacesetError, match="older than"):
        read_alignments(path)


def test_faceswaps_export_is_read(tmp_path):
    path = tmp_path / "export.json"
    points = face()["landmarks_xy"]
    path.write_text(json.dumps({"a.jpg": [{"detected": [10, 20, 110, 170], "landmarks_2d": points}], "b.jpg": []}))
    found = read_alignments(path)
    assert found.frames["b.jpg"]["faces"] == []
    expected = face(x=10, y=20, w=100, h=150, mask={}, identity={}, thumb=None)
    assert plain(found.frames["a.jpg"]["faces"]) == [expected]
    path.write_text(json.dumps({"a.jpg": [{"detected": None, "landmarks_2d": points}]}))
    with pytest.raises(FacesetError, match=r"frame 'a\.jpg', face 0: expected detected"):
        read_alignments(path)


@pytest.fixture
def collector():
    """Gives gc back as it was."""
    enabled = gc.isenabled()
    yield gc
    (gc.enable if enabled else gc.disable)()


def packed(tmp_path):
    path = tmp_path / "cleaned.msgpack"
    path.write_bytes(msgpack_bytes(alignments(face(), b=[face()], c=[face()])))
    return path


@pytest.mark.parametrize("enabled", [True, False])
def test_whoever_goes_through_frames_has_the_collector_that_they_chose(collector, tmp_path, enabled):
    (collector.enable if enabled else collector.disable)()
    path = packed(tmp_path)
    first, second = iterate_msgpack(path), iterate_msgpack(path)
    for _ in zip(first, second, strict=True):
        assert collector.isenabled() == enabled
    stopped, dropped = iterate_msgpack(path), iterate_msgpack(path)
    next(stopped), next(dropped)
    (collector.disable if enabled else collector.enable)()
    stopped.close()
    del dropped
    assert collector.isenabled() != enabled


@pytest.mark.parametrize("enabled", [True, False])
def test_reading_a_file_leaves_the_collector_as_it_was(collector, fsa, tmp_path, enabled):
    (collector.enable if enabled else collector.disable)()
    read(fsa, alignments(face()))
    read_msgpack(packed(tmp_path))
    with pytest.raises(FacesetError):
        read(fsa, {"no": "alignments"})
    assert collector.isenabled() == enabled


def test_the_default_place_is_in_the_folder_or_beside_the_video(tmp_path):
    assert default_alignments_path(tmp_path) == tmp_path / "alignments.fsa"
    assert default_alignments_path(tmp_path / "film.v2.mkv") == tmp_path / "film.v2_alignments.fsa"


def test_time_to_read_grows_no_faster_than_the_faces():
    def seconds(frames):
        few = {
            f"{number:06d}.jpg": {"faces": [face(identity={"m": [0.5] * 512})], "video_meta": {}}
            for number in range(frames)
        }
        content = msgpack_bytes({"__meta__": {"version": 2.4}, "__data__": few})
        started = time.process_time()
        from_msgpack(content, "file")
        return time.process_time() - started

    seconds(100)
    assert seconds(4000) < 40 * min(seconds(400) for _ in range(3))
