"""Replace an access key by a new one, in steps that can be left, taken up and rolled back."""
