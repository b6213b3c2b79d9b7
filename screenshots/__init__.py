"""The screenshots of the README, and what makes them."""
