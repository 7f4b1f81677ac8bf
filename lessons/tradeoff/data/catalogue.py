"""The shop's product catalogue, as products.csv was drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tradeoff.data.arguments import check_whole

SEED = 20_260_425

# Kinds of product by category; the number is the category's median price in US dollars.
CATALOGUE: dict[str, tuple[float, str]] = {
    "audio": (85, "Headphones, Speaker, Soundbar, Microphone, Turntable, Amplifier"),
    "bedding": (48, "Pillow, Duvet, Blanket, Sheet Set, Mattress Topper, Quilt"),
    "books": (17, "Atlas, Cookbook, Novel, Notebook, Field Guide, Puzzle Book"),
    "cycling": (60, "Helmet, Pump, Saddle, Bike Lock, Pannier, Light Set"),
    "garden": (34, "Planter, Hose, Trowel Set, Lantern, Bird Feeder, Rake"),
    "kitchen": (39, "Skillet, Kettle, Knife, Mixing Bowl, Grinder, Baking Tray"),
    "lighting": (55, "Floor Lamp, Desk Lamp, Pendant, Bulb Set, Wall Lamp, Light Strip"),
    "office": (29, "Desk Pad, Stapler, Monitor Arm, File Box, Whiteboard, Footrest"),
    "outdoor": (92, "Tent, Backpack, Camp Stove, Sleeping Bag, Water Filter, Hammock"),
    "pets": (24, "Leash, Pet Bed, Feeder, Carrier, Scratching Post, Toy Set"),
    "toys": (22, "Building Set, Board Game, Kite, Model Train, Plush Bear, Marble Run"),
    "tools": (66, "Drill, Tape Measure, Clamp Set, Sander, Toolbox, Level"),
}
LINES = (
    *("Alder", "Basalt", "Birch", "Cedar", "Cobalt", "Coral", "Delta", "Ember", "Fjord"),
    *("Flint", "Granite", "Harbor", "Indigo", "Juniper", "Larch", "Maple", "Meadow", "Nimbus"),
    *("Onyx", "Pebble", "Quartz", "Ridge", "Slate", "Summit", "Tundra", "Willow"),
)
PRICE_SPREAD = 0.6  # standard deviation of the logarithm of a price within its category


def make_products(seed: int = SEED, count: int = 1000) -> pd.DataFrame:
    """Draw the catalogue behind products.csv: the columns and dtypes of `products`.

    A category's share of the catalogue is its share of all possible names (line and kind). Prices
    are log-normal around the category's median and end in 49 or 99 cents.

    Raises ValueError unless 1 <= count <= 1872, the number of distinct names.
    """
    kinds = [
        (category, kind, median)
        for category, (median, names) in CATALOGUE.items()
        for kind in names.split(", ")
    ]
    possible = len(kinds) * len(LINES)
    check_whole("count", count, 1, possible)
    rng = np.random.default_rng(check_whole("seed", seed, 0))
    picked = np.sort(rng.choice(possible, size=count, replace=False))
    rows = [(*kinds[i // len(LINES)], LINES[i % len(LINES)]) for i in picked.tolist()]
    medians = np.array([median for _, _, median, _ in rows])
    half_dollars = np.rint(2 * medians * np.exp(PRICE_SPREAD * rng.standard_normal(count)))
    return pd.DataFrame(
        {
            "product_id": np.arange(1, count + 1, dtype=np.int32),
            "category": [category for category, _, _, _ in rows],
            "name": [f"{line} {kind}" for _, kind, _, line in rows],
            "price_cents": (50 * np.maximum(half_dollars, 2) - 1).astype(np.int32),
        }
    )
