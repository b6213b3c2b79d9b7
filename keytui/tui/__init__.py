"""The screens: a folder for each, with its dialogs and what its keys do.

The only package that imports Textual and Rich. A verb's rules are not here: a screen implements
the port of its driver.
"""
