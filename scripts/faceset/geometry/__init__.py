"""Where faces are: transforms, mean faces, boxes and warps."""
