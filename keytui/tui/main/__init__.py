"""The main screen: users at the left, the keys of one at the right; and one key's detail."""
