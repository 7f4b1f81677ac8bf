"""The trade-off model of batch, micro-batch and streaming, and what the lessons build on it."""
