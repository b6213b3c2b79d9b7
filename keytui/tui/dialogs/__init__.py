"""Dialogs that several screens open. A dialog returns a typed value and does nothing else."""
