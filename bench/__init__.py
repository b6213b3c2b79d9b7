"""What ``make bench`` runs: keytui's speed, memory and bytes, beside what they compare with."""
