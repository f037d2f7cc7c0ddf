import ast
import json
import struct
import zlib

import cv2
import numpy as np
import pytest

from faceset.alignments.entries import plain
from faceset.alignments.files import read_alignments
from faceset.errors import FacesetError
from faceset.training.pictures.png import header_text, read_header
from faceset.training.pixels import pixel_digest
from factory import png
from golden_data import GOLDEN, PHOTOS, photo_figures, photo_pictures, value_digest
from sample_face import face

FROM_FACESWAP = sorted(GOLDEN.glob("*/faces_256/*.png"))


def source(**changes):
    return {
        "alignments_version": 2.4,
        "original_filename": "a_0.png",
        "face_index": 0,
        "source_filename": "a.jpg",
        "source_is_video": False,
        "source_frame_dims": [360, 640],
    } | changes


def picture(height=40, width=30):
    return np.random.default_rng(5).integers(0, 256, (height, width, 3), dtype=np.uint8)


def chunks(data):
    """Kind, body and whether the checksum is right, of every chunk."""
    position, found = 8, []
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        body = data[position + 8 : position + 8 + length]
        (checksum,) = struct.unpack(">I", data[position + 8 + length : position + 12 + length])
        found.append((kind, body, checksum == zlib.crc32(kind + body)))
        position += 12 + length
    return found


def text_of(data):
    (body,) = [body for kind, body, _ in chunks(data) if kind == b"iTXt"]
    assert body.startswith(b"faceswap" + bytes(5))
    return body[13:].decode()


def test_headers_are_faceswaps():
    alignments = read_alignments(PHOTOS / "alignments.fsa")
    headers = {}
    for name in photo_figures():
        stem, index = name.removesuffix(".png").rsplit("_", 1)
        where = source(original_filename=name, face_index=int(index), source_filename=f"{stem}.jpg")
        text = header_text(alignments.frames[f"{stem}.jpg"]["faces"][int(index)], where)
        headers[name] = value_digest(ast.literal_eval(text))
    assert headers == {name: digests["header"] for name, digests in photo_pictures().items()}


@pytest.mark.pixels
@pytest.mark.parametrize("path", FROM_FACESWAP, ids=lambda path: path.stem)
def test_faceswaps_own_pictures_are_read_and_written_again_as_they_were(path):
    data = path.read_bytes()
    header = read_header(data, path.name)
    literal = ast.literal_eval(text_of(data))
    assert header["source"] == literal["source"]
    text = header_text({**header["alignments"], "thumb": None}, header["source"])
    assert ast.literal_eval(text) == literal
    image = cv2.imread(str(path))
    assert plain(read_header(png(image, text), "ours.png")) == plain(header)


@pytest.mark.pixels
def test_the_digests_of_the_golden_pictures_are_those_of_their_pixels():
    (path,) = (GOLDEN / "photos" / "faces_256").glob("*.png")
    assert pixel_digest(cv2.imread(str(path))) == photo_pictures()[path.name]["pixels"]


@pytest.mark.parametrize(("height", "width"), [(512, 512), (1, 1), (1, 7), (64, 3)])
def test_pixels_come_back_the_same_whoever_decodes_them(height, width):
    image = picture(height, width)
    data = png(image, "{'ü': 1}")
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED), image)


def test_views_and_strided_images_are_encoded_as_they_look():
    image = picture(20, 20)
    assert png(image[::-1, ::2], "") == png(np.ascontiguousarray(image[::-1, ::2]), "")


def test_the_text_stands_before_the_pixels_and_every_checksum_is_right():
    found = chunks(png(picture(), header_text(face(), source())))
    assert [kind for kind, _, _ in found] == [b"IHDR", b"iTXt", b"IDAT", b"IEND"]
    assert all(right for _, _, right in found)


def test_the_same_face_is_written_as_the_same_bytes():
    shuffled = dict(reversed(face().items()))
    one, other = (png(picture(), header_text(each, source())) for each in (face(), shuffled))
    assert one == other


def test_what_is_read_is_what_was_written_without_thumb_and_unknown_keys():
    data = png(picture(), header_text(face(mood=1), source()))
    expected = face()
    del expected["thumb"]
    assert plain(read_header(data, "a.png")) == {"alignments": expected, "source": source()}


def test_a_picture_without_a_header_is_named_and_other_texts_are_passed_over():
    _, data = cv2.imencode(".png", picture())
    with pytest.raises(FacesetError, match=r"^plain\.png: has no face data"):
        read_header(data.tobytes(), "plain.png")
    ours = png(picture(), header_text(face(), source()))
    note = b"iTXtcomment" + bytes(5) + b"hello"
    noted = struct.pack(">I", len(note) - 4) + note + struct.pack(">I", zlib.crc32(note))
    assert read_header(ours[:33] + noted + ours[33:], "a.png")["source"] == source()


def test_headers_after_remove_faces_are_read_as_faceswap_left_them():
    left = json.loads((GOLDEN / "remove" / "headers_after.json").read_text())
    for name, where in left.items():
        assert read_header(png(picture(), header_text(face(), where)), name)["source"] == where


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("__import__('os').system('true')", "not readable"),
        ("{'alignments': ", "not readable"),
        ("(" * 100_000, "not readable"),
        ("[" * 150 + "'']" * 150, "not readable"),
        ("{}", "expected alignments and source"),
        (repr({"alignments": {}, "source": source()}), "missing"),
        (repr({"alignments": face(), "source": {}}), "source: expected the keys"),
        (repr({"alignments": face(), "source": source(extra=1)}), "source: expected the keys"),
        (repr({"alignments": face(), "source": source(face_index="0")}), "face_index"),
        (repr({"alignments": face(), "source": source(face_index=True)}), "face_index"),
        (repr({"alignments": face(), "source": source(face_index=-1)}), "face_index"),
        (repr({"alignments": face(), "source": source(source_frame_dims=[1])}), "source_frame_dims"),
        (repr({"alignments": face(landmarks_xy=[]), "source": source()}), "landmarks_xy"),
        ("'" + "x" * 5_000_000 + "'", "4 MiB"),
    ],
)
def test_a_strangers_text_ends_in_a_clear_message(text, said):
    with pytest.raises(FacesetError, match=r"^bad\.png: .*Extract this face again") as failure:
        read_header(png(picture(), text), "bad.png")
    assert said in str(failure.value)


def test_damaged_files_end_in_a_clear_message():
    data = png(picture(), header_text(face(), source()))
    flipped = data.replace(b"'face_index': 0", b"'face_index': 1")
    for bad, said in [
        (b"", "an empty file"),
        (b"\xff\xd8\xff", "not a PNG"),
        (data[:300], "cut short"),
        (flipped, "checksum"),
    ]:
        with pytest.raises(FacesetError, match=said):
            read_header(bad, "bad.png")


def test_what_no_reader_could_read_is_not_written():
    for bad in (face(landmarks_xy=[[float("nan"), 0.0]] * 68), face(identity={"m": [float("inf")]})):
        with pytest.raises(ValueError, match="not finite"):
            header_text(bad, source())
    with pytest.raises(ValueError, match="keys"):
        header_text(face(), {"face_index": 1})
    with pytest.raises(ValueError, match="uint8"):
        png(picture().astype(np.float32), "")


def test_the_digest_tells_pixels_and_shapes_apart_and_nothing_else():
    image = picture(6, 4)
    changed = image.copy()
    changed[0, 0, 0] ^= 1
    digests = [pixel_digest(each) for each in (image, changed, image.reshape(4, 6, 3))]
    assert len(set(digests)) == 3
    assert pixel_digest(np.asfortranarray(image)) == digests[0]
