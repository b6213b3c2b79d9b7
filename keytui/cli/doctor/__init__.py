"""What ``keytui doctor`` looks at: a module for each thing, each look bounded in time."""
