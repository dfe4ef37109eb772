"""Takes nothing but a fixed seed, writes the five raw CSV files below `seeds/`.

The rows carry what real loads carry: rows that arrive days late, the same key loaded
twice, refunds, missing values, statuses in any case, and stray blanks. The people are
invented. Running it again writes the same bytes.
"""

import csv
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

Row = dict[str, Any]

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
OPENING = datetime.fromisoformat("2026-01-02T06:00:00")
DAYS = 300
CUSTOMERS, ORDERS = 120, 400

FIRST_NAMES = (
    "Ada Bruno Chiara Dimitri Elif Farid Greta Hana Ivo Jonas "
    "Kaya Lene Milan Nora Oskar Petra Quinn Rosa Samir Tilda"
)
LAST_NAMES = (
    "Almquist Bergmann Castellan Dorval Eklund Fontaine "
    "Grabow Hollis Ivarsen Jablonka Kowal Lindqvist"
)
COUNTRIES = ("DE", "FR", "SE", "PL", "IT", "us", " GB", None)
# category: (list price of the small size, product lines)
CATALOGUE = {
    "Coffee": (9, ("Sunrise Blend", "Harbour Roast", "Night Shift", "Decaf Dawn")),
    "tea": (6, ("Garden Mint", "Smoked Oolong", "White Peony", "Lemon Rooibos")),
    "Brewing": (24, ("Pour-over Cone", "French Press", "Moka Pot", "Hand Grinder")),
    "mugs": (12, ("Enamel Mug", "Travel Cup", "Espresso Pair", "Tall Tumbler")),
    " gifts": (30, ("Tasting Box", "Starter Set", "Office Crate", "Advent Case")),
}
STATUSES = {"completed": 68, "shipped": 12, "placed": 7, "returned": 8, "cancelled": 5}
METHODS = ("card", "card", "card", "bank_transfer", "Gift_Card", " card", None)


def arrival(rng: Random, event: datetime) -> datetime:
    """When the load brought the event: mostly within hours, now and then days late."""
    days = rng.randint(3, 9) if rng.random() < 0.05 else 0  # noqa: PLR2004
    return event + timedelta(days=days, minutes=rng.randrange(5, 300))


def moment(rng: Random, since: datetime, days: int) -> datetime:
    """Draw a second within so many days of another."""
    return since + timedelta(seconds=rng.randrange(days * 24 * 60 * 60))


def untidy(rng: Random, word: str) -> str:
    """Write the word as a careless system does."""
    return rng.choice((word, word, word, word.upper(), word.title(), f" {word} "))


def with_reloads(
    rng: Random, rows: list[Row], count: int, **changes: object
) -> list[Row]:
    """Add `count` of the rows once more: a third as they were, the rest changed."""
    again = rng.sample(rows, count)
    exact, near = again[: count // 3], again[count // 3 :]
    later = timedelta(days=2, minutes=17)
    return (
        rows
        + exact
        + [row | changes | {"_loaded_at": row["_loaded_at"] + later} for row in near]
    )


def customers(rng: Random) -> list[Row]:
    """People who signed up, a few of whom have opted in to mail since."""
    rows: list[Row] = []
    for number in range(1, CUSTOMERS + 1):
        first, last = rng.choice(FIRST_NAMES.split()), rng.choice(LAST_NAMES.split())
        signed_up_at = moment(rng, OPENING - timedelta(days=200), 400)
        rows.append(
            {
                "customer_id": f"C{number:04}",
                "full_name": f"{first} {last}" + " " * (number % 11 == 0),
                "email": untidy(rng, f"{first}.{last}.{number}@example.com".lower()),
                "country_code": rng.choice(COUNTRIES),
                "is_marketing_opted_in": rng.random() < 0.4,  # noqa: PLR2004
                "signed_up_at": signed_up_at,
                "_loaded_at": arrival(rng, signed_up_at),
            }
        )
    return with_reloads(rng, rows, 9, is_marketing_opted_in=True)


def products(rng: Random) -> list[Row]:
    """Each line of the catalogue in two sizes, some of them discontinued later."""
    rows: list[Row] = []
    for category, (price, lines) in CATALOGUE.items():
        for line in lines:
            for size, factor in (("small", 1), ("large", 2)):
                list_price = Decimal(price * factor + rng.randrange(5)) + Decimal(
                    "0.90"
                )
                unit_cost = round(list_price * rng.randrange(35, 65) / 100, 2)
                rows.append(
                    {
                        "product_id": f"P{len(rows) + 1:03}",
                        "product_name": f"{line}, {size}",
                        "category": category,
                        "unit_price": list_price,
                        "unit_cost": None if len(rows) % 13 == 0 else unit_cost,
                        "is_discontinued": False,
                        "_loaded_at": moment(rng, OPENING - timedelta(days=9), 8),
                    }
                )
    return with_reloads(rng, rows, 6, is_discontinued=True)


def orders(rng: Random, everyone: list[Row]) -> list[Row]:
    """Orders over the year, some by guests, some loaded again when they moved on."""
    rows: list[Row] = []
    for number in range(1, ORDERS + 1):
        ordered_at = moment(rng, OPENING, DAYS)
        status = rng.choices(list(STATUSES), weights=list(STATUSES.values()))[0]
        known = [row for row in everyone if row["signed_up_at"] < ordered_at]
        buyer = None if number % 80 == 0 else rng.choice(known)["customer_id"]
        rows.append(
            {
                "order_id": f"O{number:05}",
                "customer_id": buyer,
                "status": untidy(rng, status),
                "ordered_at": ordered_at,
                "_loaded_at": arrival(rng, ordered_at),
            }
        )
    return with_reloads(rng, rows, 15, status="Completed")


def order_items(rng: Random, all_orders: list[Row], catalogue: list[Row]) -> list[Row]:
    """One to four lines an order; where the price is missing, the list price holds."""
    rows: list[Row] = []
    for order in all_orders:
        lines = rng.choices((1, 2, 3, 4), weights=(30, 35, 20, 15))[0]
        for line, product in enumerate(rng.sample(catalogue, lines), 1):
            has_price = rng.random() > 0.02  # noqa: PLR2004
            rows.append(
                {
                    "order_item_id": f"{order['order_id']}-{line}",
                    "order_id": order["order_id"],
                    "product_id": product["product_id"],
                    "quantity": rng.choice((1, 1, 1, 2, 2, 3, 6)),
                    "unit_price": product["unit_price"] if has_price else None,
                    "_loaded_at": arrival(rng, order["ordered_at"]),
                }
            )
    return with_reloads(rng, rows, 12)


def payments(
    rng: Random, all_orders: list[Row], totals: dict[str, Decimal]
) -> list[Row]:
    """Pay for every order: some in two parts, some on trial two, returns refunded."""
    rows: list[Row] = []

    def pay(order: Row, amount: Decimal, status: str, after: int) -> None:
        paid_at = moment(rng, order["ordered_at"] + timedelta(days=after), 1)
        rows.append(
            {
                "payment_id": f"PAY{len(rows) + 1:05}",
                "order_id": order["order_id"],
                "payment_method": rng.choice(METHODS),
                "status": untidy(rng, status),
                "amount": amount,
                "paid_at": paid_at,
                "_loaded_at": arrival(rng, paid_at),
            }
        )

    for order in all_orders:
        status, total = order["status"].strip().lower(), totals[order["order_id"]]
        if status in {"placed", "cancelled"}:
            continue
        if rng.random() < 0.04:  # noqa: PLR2004
            pay(order, total, "failed", 0)
        first_part = round(total / 2, 2) if rng.random() < 0.08 else total  # noqa: PLR2004
        pay(order, first_part, "settled", 0)
        if first_part != total:
            pay(order, total - first_part, "settled", 1)
        if status == "returned":
            pay(order, -total, "refunded", rng.randint(5, 20))
    return with_reloads(rng, rows, 9)


def order_totals(items: list[Row], catalogue: list[Row]) -> dict[str, Decimal]:
    """Add up what each order costs, a line that was loaded twice counted once."""
    list_prices = {row["product_id"]: row["unit_price"] for row in catalogue}
    lines = {row["order_item_id"]: row for row in items}
    totals: dict[str, Decimal] = {}
    for line in lines.values():
        price = line["unit_price"] or list_prices[line["product_id"]]
        spent = totals.get(line["order_id"], Decimal(0))
        totals[line["order_id"]] = spent + line["quantity"] * price
    return totals


def write(name: str, rows: list[Row]) -> None:
    """One CSV file, in the order of loading."""
    rows.sort(key=lambda row: row["_loaded_at"])
    with (SEEDS / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Draws everything from one generator, so the order of the calls is the data."""
    rng = Random(20260102)
    catalogue = products(rng)
    single_products = list({row["product_id"]: row for row in catalogue}.values())
    everyone = customers(rng)
    all_orders = orders(rng, everyone)
    # the last load of each order says what became of it, and so what was paid
    last_loads = list({row["order_id"]: row for row in all_orders}.values())
    items = order_items(rng, last_loads, single_products)
    totals = order_totals(items, single_products)
    write("raw_customers", everyone)
    write("raw_products", catalogue)
    write("raw_orders", all_orders)
    write("raw_order_items", items)
    write("raw_payments", payments(rng, last_loads, totals))


if __name__ == "__main__":
    main()
