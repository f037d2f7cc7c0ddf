"""Which converter makes ONNX of which kind of model file."""

from faceset.setup.converters.dlib_resnet import convert_dlib_resnet
from faceset.setup.converters.mtcnn import convert_onet, convert_pnet, convert_rnet
from faceset.setup.converters.tflite import convert_tflite

# By the names that `build.converter` of the model catalogue may say; each takes the file's bytes and its name.
CONVERTERS = {
    "dlib_resnet": convert_dlib_resnet,
    "mtcnn_pnet": convert_pnet,
    "mtcnn_rnet": convert_rnet,
    "mtcnn_onet": convert_onet,
    "tflite": convert_tflite,
}
