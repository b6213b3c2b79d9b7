"""The audit screen: totals, table, marks, and reading in the background."""
