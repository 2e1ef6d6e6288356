"""How passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class LeanArgon2(Argon2PasswordHasher):
    """Argon2id at OWASP's parameters (Password Storage Cheat Sheet: 19 MiB, 2 passes, 1 lane).

    Django's own take 100 MiB and eight threads for each login; a few at once would starve a small server.
    """

    memory_cost = 19456
    time_cost = 2
    parallelism = 1
