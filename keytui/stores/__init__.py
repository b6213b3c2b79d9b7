"""Where a one-time secret can go; one contract for all."""
