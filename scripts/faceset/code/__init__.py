"""Digests of the code of this library."""
