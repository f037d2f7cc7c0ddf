"""Training sets: cleaned alignments, cut faces, the assembled folder, and the crate that describes it."""
