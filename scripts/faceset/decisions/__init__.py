"""Decisions: the keep-list, what its rows reach, filters, and the manifest that comes of them."""
