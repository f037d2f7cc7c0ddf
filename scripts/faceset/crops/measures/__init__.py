"""What is measured of each face: a module a measure, what they share, and the table of them all."""
