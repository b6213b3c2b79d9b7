"""Replaces an access key in steps that can be interrupted, continued and rolled back."""
