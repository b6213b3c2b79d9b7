"""The verbs on keys as dialogs: create and reveal, change one or many, find, recover."""
