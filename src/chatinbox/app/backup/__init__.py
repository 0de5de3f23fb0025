"""Copies of an installation: data and keys apart, and putting them back without bringing back what was erased."""
