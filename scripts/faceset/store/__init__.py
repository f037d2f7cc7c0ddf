"""The content store: objects and actions, locks, parts."""
