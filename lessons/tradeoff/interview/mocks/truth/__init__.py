"""What the model computes of a case: its pipeline, its limits, every remedy, what a board does."""
