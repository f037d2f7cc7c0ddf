"""What is cut and measured of each face in one pass over the footage."""
