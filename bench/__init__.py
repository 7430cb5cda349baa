"""Measurements. Never a test: what a machine can do is read here, not asserted."""
