"""Finding faces in a frame with MTCNN (Zhang et al., IEEE SPL 23(10), 2016)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceset.arrays import Float32, Float64, Image
from faceset.errors import FacesetError
from faceset.models.catalogue import Model, verified_model_path
from faceset.models.inference import Device, network_input, open_session

Boxes = Float64
Scores = Float32

STAGES = ("mtcnn_pnet", "mtcnn_rnet", "mtcnn_onet")
THRESHOLDS = (0.6, 0.7, 0.9)
PYRAMID_FACTOR = 0.709
WINDOW_PX = 12
STRIDE_PX = 2
LEVEL_OVERLAP = 0.5
STAGE_OVERLAP = 0.7


@dataclass(frozen=True, eq=False)
class Detection:
    """A face found: its box and five points (left eye, right eye, nose, mouth's corners) in frame pixels.

    `points` is (5, 2) float64, left and right as seen in the picture; `score` lies between the threshold and 1.
    """

    x: float
    y: float
    width: float
    height: float
    score: float
    points: Float64


class FaceDetector:
    """MTCNN's three networks: proposals over a pyramid of the frame, refined, then judged and given points."""

    def __init__(
        self,
        models: Mapping[str, Model],
        models_dir: Path,
        min_face_px: int,
        thresholds: tuple[float, float, float] = THRESHOLDS,
        device: Device = "auto",
        threads: int = 1,
    ) -> None:
        """Open the networks, `mtcnn_pnet`, `mtcnn_rnet` and `mtcnn_onet` of the manifest; FacesetError if one fails."""
        if absent := [name for name in STAGES if name not in models]:
            raise FacesetError(f"the model catalogue has no {absent[0]}, which detection needs.")
        self._models = [models[name] for name in STAGES]
        self._sessions = [
            open_session(model, verified_model_path(model, models_dir), device, threads) for model in self._models
        ]
        self._min_face_px = min_face_px
        self._thresholds = thresholds
        self.provider = self._sessions[0].provider

    def detect(self, frame_bgr: Image) -> list[Detection]:
        """Faces of `frame_bgr` (H, W, 3), from left to right by the middle of their boxes."""
        boxes = self._proposals(frame_bgr)
        if not len(boxes):
            return []
        outputs, boxes, scores = self._judge(1, frame_bgr, boxes)
        if not len(boxes):
            return []
        kept = _suppress(boxes, scores, STAGE_OVERLAP)
        boxes = _shift(boxes[kept], outputs["offsets"][kept])
        outputs, boxes, scores = self._judge(2, frame_bgr, boxes)
        sizes = boxes[:, 2:] - boxes[:, :2]
        points = boxes[:, None, :2] + sizes[:, None] * outputs["points"].reshape(-1, 2, 5).transpose(0, 2, 1)
        boxes = _shift(boxes, outputs["offsets"])
        kept = _suppress(boxes, scores, STAGE_OVERLAP, of_smaller=True)
        found = [_detection(boxes[face], scores[face], points[face]) for face in kept]
        return sorted(found, key=lambda face: (face.x + face.width / 2, face.y))

    def _proposals(self, frame: Image) -> Boxes:
        """P-Net's boxes over all levels of the pyramid."""
        height, width = frame.shape[:2]
        scale = WINDOW_PX / self._min_face_px
        found = [(np.empty((0, 4)), np.empty(0, np.float32), np.empty((0, 4), np.float32))]
        while min(height, width) * scale >= WINDOW_PX:
            size = (int(width * scale) + 1, int(height * scale) + 1)
            level = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
            found.append(self._scan(level, scale))
            scale *= PYRAMID_FACTOR
        boxes, scores, offsets = (np.concatenate(parts) for parts in zip(*found, strict=True))
        kept = _suppress(boxes, scores, STAGE_OVERLAP)
        return _shift(boxes[kept], offsets[kept])

    def _scan(self, level: Image, scale: float) -> tuple[Boxes, Scores, Float32]:
        """Boxes, in frame pixels, scores and offsets of P-Net's proposals on one level, the frame times `scale`."""
        outputs = self._sessions[0].run(network_input(level[None], self._models[0]))
        probability = outputs["probability"][0, 1]
        rows, columns = np.nonzero(probability >= self._thresholds[0])
        scores, offsets = probability[rows, columns], outputs["offsets"][0][:, rows, columns].T
        corners = np.stack([columns, rows], axis=1) * float(STRIDE_PX)
        boxes = np.concatenate([corners, corners + WINDOW_PX], axis=1) / scale
        kept = _suppress(boxes, scores, LEVEL_OVERLAP)
        return boxes[kept], scores[kept], offsets[kept]

    def _judge(self, stage: int, frame: Image, boxes: Boxes) -> tuple[dict[str, Float32], Boxes, Scores]:
        """Outputs, boxes made square and scores of the boxes that R-Net (1) or O-Net (2) takes for faces."""
        squares = _square(boxes)
        model = self._models[stage]
        crops = np.empty((len(squares), model.size_px, model.size_px, 3), np.uint8)
        for crop, square in zip(crops, squares, strict=True):
            crop[:] = _crop(frame, square, model.size_px)
        outputs = self._sessions[stage].run(network_input(crops, model))
        scores = outputs["probability"][:, 1]
        kept = scores > self._thresholds[stage]
        return {name: values[kept] for name, values in outputs.items()}, squares[kept], scores[kept]


def _detection(box: Float64, score: np.float32, points: Float64) -> Detection:
    left, top, right, bottom = (float(edge) for edge in box)
    return Detection(left, top, right - left, bottom - top, float(score), points)


def _suppress(boxes: Boxes, scores: Scores, overlap: float, of_smaller: bool = False) -> NDArray[np.intp]:
    """Indices of the boxes, best first, that no better one overlaps by more than a share.

    The share is of the union, or of the smaller box of the two, which also drops a box inside another.
    """
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    order = np.argsort(-scores, kind="stable")
    kept = []
    while order.size:
        best, others = order[0], order[1:]
        kept.append(best)
        corner = np.maximum(boxes[best, :2], boxes[others, :2])
        extent = np.maximum(np.minimum(boxes[best, 2:], boxes[others, 2:]) - corner, 0)
        common = extent[:, 0] * extent[:, 1]
        whole = np.minimum(areas[best], areas[others]) if of_smaller else areas[best] + areas[others] - common
        order = others[common <= overlap * whole]
    return np.array(kept, np.intp)


def _shift(boxes: Boxes, offsets: Float32) -> Boxes:
    """Boxes moved by a network's offsets, which are in units of the box."""
    sizes = boxes[:, 2:] - boxes[:, :2]
    return boxes + offsets * np.tile(sizes, 2)


def _square(boxes: Boxes) -> Boxes:
    """Squares about the boxes' middles, as large as their longer edges."""
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    halves = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([middles - halves, middles + halves], axis=1)


def _crop(frame: Image, square: Float64, size_px: int) -> Image:
    """A square of the frame at another size; black where it reaches beyond the frame."""
    height, width = frame.shape[:2]
    left, top, right, bottom = square.astype(int)
    inner = frame[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if inner.size == 0:
        return np.zeros((size_px, size_px, 3), np.uint8)
    margins = (max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0))
    padded = cv2.copyMakeBorder(inner, *margins, cv2.BORDER_CONSTANT) if any(margins) else inner
    return np.asarray(cv2.resize(padded, (size_px, size_px), interpolation=cv2.INTER_AREA), np.uint8)
