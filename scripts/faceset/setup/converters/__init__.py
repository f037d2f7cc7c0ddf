"""Other people's model files to ONNX, by NumPy and onnx alone."""
