"""Alignments: which faces are on which frame, in every form that they come in."""
