"""The report: one HTML page on a project, and the counts that the summary shares with it."""
