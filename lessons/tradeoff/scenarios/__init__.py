"""Pipelines to diagnose: the course's orders pipeline, and generated ones with a known fault."""
