"""The workflow: keys, records, running one instance, and what comes before and after a run."""
