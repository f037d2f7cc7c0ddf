"""Footage: videos and folders of pictures, their frames and their digests."""
