"""Preparation for an interview: drills, mock interviews and the cheat sheet.

The questions stand in `data/questions.toml`; `bank` reads and checks them.
"""
