"""The AWS profiles: who each is, and how old its keys are."""
