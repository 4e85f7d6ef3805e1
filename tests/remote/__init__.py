"""Further stores on real servers: S3 by moto, SSH by sshd, both on this host."""
