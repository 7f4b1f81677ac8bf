"""Real engines, one module each: import the one you want, for example `tradeoff.lab.duck`."""
