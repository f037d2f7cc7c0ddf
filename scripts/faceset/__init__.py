"""Curating face sets: faces from footage, clustered by person, kept or dropped by a person's decisions."""
