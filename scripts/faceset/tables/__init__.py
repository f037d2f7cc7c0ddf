"""Tables: what a column is, and reading and writing Parquet so that equal rows give equal bytes."""
