"""The version that the User-Agent header names; a test compares it with pyproject.toml."""

VERSION = "0.1.0"
