"""Face pictures: PNGs with faceswap's header, alone and in folders that people changed."""
