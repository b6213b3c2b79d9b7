"""What keytui does from the command line, a module for each."""
