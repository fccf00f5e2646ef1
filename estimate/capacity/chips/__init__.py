"""Chips, one file each."""
