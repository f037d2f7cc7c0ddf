"""How fast Faceset is and how much memory it takes, on made-up data: `python -m benchmarks [name ...]`."""
