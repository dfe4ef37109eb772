"""Takes nothing, writes the five raw CSV files below `seeds/`: the shop's first delivery.

The rows are those of `mesh local sample-data --seed 20260102`, which is where they are made;
dbt itself needs neither this script nor the package that it imports. Running it again writes
the same bytes.
"""

from itertools import islice
from pathlib import Path

from registry_tools.local.sample_data import as_csv
from registry_tools.local.shop import SEEDS, deliveries

FOLDER = Path(__file__).resolve().parent.parent / "seeds"


def main(folder: Path = FOLDER) -> None:
    """One file a table, in the order of loading."""
    for delivery in islice(deliveries(SEEDS), 1):
        for table, rows in delivery.items():
            (folder / f"{table}.csv").write_bytes(as_csv(rows))


if __name__ == "__main__":
    main()
