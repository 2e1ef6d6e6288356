"""The bakery: the project, and the kernel that every app stands on."""

VERSION = "0.1.0"
