"""People: tracks, clusters, and how sure they are."""
