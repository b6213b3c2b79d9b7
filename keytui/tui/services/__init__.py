"""What screens share and nobody sees: flows, keys typed ahead, the connection, the clipboard."""
