"""Models: the catalogue of them, running them, and what each kind of them says of a face."""
