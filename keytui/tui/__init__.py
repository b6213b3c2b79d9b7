"""The screens; the only importer of textual."""
