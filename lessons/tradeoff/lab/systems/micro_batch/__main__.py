"""`python -m tradeoff.lab.systems.micro_batch PATH SLOT …` runs the loop."""

import sys

from tradeoff.lab.systems.micro_batch.loop import main

main(sys.argv[1:])
