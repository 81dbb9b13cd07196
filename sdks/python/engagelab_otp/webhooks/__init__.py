"""Receiving callbacks: who sent them, and what they say."""
