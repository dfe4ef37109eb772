"""A seed in, the raw rows of an invented shop out, delivery after delivery.

The rows carry what real loads carry: rows that arrive days late, the same key loaded twice, refunds, missing values,
statuses in any case, and stray blanks. The people are invented. A seed says everything, so a longer run begins with
the rows of a shorter one; the first delivery of `SEEDS` is what the seeds of dbt_up hold.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

Row = dict[str, Any]
Delivery = Mapping[str, list[Row]]

SEEDS: Final = 20260102
_OPENING: Final = datetime.fromisoformat("2026-01-02T06:00:00")
_DAYS: Final = 300
_FIRST_SIGN_UP: Final = _OPENING - timedelta(days=200)
# What further branches send arrives a day after the other, once all is over: whoever reads what is new by the time of
# its load, as incremental models do, then sees all of it. Their 531 days fit into one.
_FURTHER: Final = datetime.fromisoformat("2026-12-01T00:00:00")
_SQUEEZED: Final = 600
# A branch of the shop sends so many customers and orders. The first delivery comes from one branch, and each has one
# branch more than the one before, up to 25 of them: 47,000 rows, which is all that is ever held.
_CUSTOMERS, _ORDERS = 120, 400
_BRANCHES: Final = 25

_FIRST_NAMES: Final = (
    *("Ada", "Bruno", "Chiara", "Dimitri", "Elif", "Farid", "Greta", "Hana", "Ivo", "Jonas"),
    *("Kaya", "Lene", "Milan", "Nora", "Oskar", "Petra", "Quinn", "Rosa", "Samir", "Tilda"),
)
_LAST_NAMES: Final = (
    *("Almquist", "Bergmann", "Castellan", "Dorval", "Eklund", "Fontaine"),
    *("Grabow", "Hollis", "Ivarsen", "Jablonka", "Kowal", "Lindqvist"),
)
_COUNTRIES: Final = ("DE", "FR", "SE", "PL", "IT", "us", " GB", None)
# category: (list price of the small size, product lines)
_CATALOGUE: Final = {
    "Coffee": (9, ("Sunrise Blend", "Harbour Roast", "Night Shift", "Decaf Dawn")),
    "tea": (6, ("Garden Mint", "Smoked Oolong", "White Peony", "Lemon Rooibos")),
    "Brewing": (24, ("Pour-over Cone", "French Press", "Moka Pot", "Hand Grinder")),
    "mugs": (12, ("Enamel Mug", "Travel Cup", "Espresso Pair", "Tall Tumbler")),
    " gifts": (30, ("Tasting Box", "Starter Set", "Office Crate", "Advent Case")),
}
_STATUSES: Final = {"completed": 68, "shipped": 12, "placed": 7, "returned": 8, "cancelled": 5}
_METHODS: Final = ("card", "card", "card", "bank_transfer", "Gift_Card", " card", None)

_LATE: Final = 0.05
_OPTED_IN: Final = 0.4
_WITHOUT_PRICE: Final = 0.02
_REFUSED_AT_FIRST: Final = 0.04
_IN_TWO_PARTS: Final = 0.08


def deliveries(seed: int) -> Iterator[Delivery]:
    """The rows of each delivery by table, in the order of loading, without end. The catalogue comes with the first."""
    shop = _Shop(Random(seed))  # noqa: S311  # the same rows for the same seed is the point
    number = 0
    while True:
        number += 1
        delivery: dict[str, list[Row]] = {"raw_products": shop.catalogue} if number == 1 else {}
        for _ in range(min(number, _BRANCHES)):
            for table, rows in shop.branch().items():
                delivery.setdefault(table, []).extend(rows)
        if number > 1:
            delivery = {table: [_later(row, number) for row in rows] for table, rows in delivery.items()}
        for rows in delivery.values():
            rows.sort(key=_loaded_at)
        yield delivery


class _Shop:
    """Draws everything from one generator, so the order of the calls is the data. Keys go on from branch to branch."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.catalogue = self._products()
        self._goods = _last_loads(self.catalogue, "product_id")
        self._numbers = {"customer": 0, "order": 0, "payment": 0}

    def branch(self) -> Delivery:
        """What the next branch sends."""
        everyone = self._customers()
        all_orders = self._orders(everyone)
        # the last load of each order says what became of it, and so what was paid
        last = _last_loads(all_orders, "order_id")
        items = self._order_items(last)
        return {
            "raw_customers": everyone,
            "raw_orders": all_orders,
            "raw_order_items": items,
            "raw_payments": self._payments(last, _order_totals(items, self._goods)),
        }

    def _products(self) -> list[Row]:
        """Each line of the catalogue in two sizes, some of them discontinued later."""
        rng, rows = self._rng, list[Row]()
        for category, (price, lines) in _CATALOGUE.items():
            for line in lines:
                for size, factor in (("small", 1), ("large", 2)):
                    list_price = Decimal(price * factor + rng.randrange(5)) + Decimal("0.90")
                    unit_cost = round(list_price * rng.randrange(35, 65) / 100, 2)
                    rows.append(
                        {
                            "product_id": f"P{len(rows) + 1:03}",
                            "product_name": f"{line}, {size}",
                            "category": category,
                            "unit_price": list_price,
                            "unit_cost": None if len(rows) % 13 == 0 else unit_cost,
                            "is_discontinued": False,
                            "_loaded_at": self._moment(_OPENING - timedelta(days=9), 8),
                        }
                    )
        return self._with_reloads(rows, 6, is_discontinued=True)

    def _customers(self) -> list[Row]:
        """People who signed up, a few of whom have opted in to mail since."""
        rng, rows = self._rng, list[Row]()
        for _ in range(_CUSTOMERS):
            number = self._next("customer")
            first, last = rng.choice(_FIRST_NAMES), rng.choice(_LAST_NAMES)
            signed_up_at = self._moment(_FIRST_SIGN_UP, 400)
            rows.append(
                {
                    "customer_id": f"C{number:04}",
                    "full_name": f"{first} {last}" + " " * (number % 11 == 0),
                    "email": self._untidy(f"{first}.{last}.{number}@example.com".lower()),
                    "country_code": rng.choice(_COUNTRIES),
                    "is_marketing_opted_in": rng.random() < _OPTED_IN,
                    "signed_up_at": signed_up_at,
                    "_loaded_at": self._arrival(signed_up_at),
                }
            )
        return self._with_reloads(rows, 9, is_marketing_opted_in=True)

    def _orders(self, everyone: Sequence[Row]) -> list[Row]:
        """Orders over the year, some by guests, some loaded again when they moved on."""
        rng, rows = self._rng, list[Row]()
        for _ in range(_ORDERS):
            number = self._next("order")
            ordered_at = self._moment(_OPENING, _DAYS)
            status = rng.choices(list(_STATUSES), weights=list(_STATUSES.values()))[0]
            known = [row for row in everyone if row["signed_up_at"] < ordered_at]
            buyer = None if number % 80 == 0 else rng.choice(known)["customer_id"]
            rows.append(
                {
                    "order_id": f"O{number:05}",
                    "customer_id": buyer,
                    "status": self._untidy(status),
                    "ordered_at": ordered_at,
                    "_loaded_at": self._arrival(ordered_at),
                }
            )
        return self._with_reloads(rows, 15, status="Completed")

    def _order_items(self, orders: Sequence[Row]) -> list[Row]:
        """One to four lines an order; where the price is missing, the list price holds."""
        rng, rows = self._rng, list[Row]()
        for order in orders:
            lines = rng.choices((1, 2, 3, 4), weights=(30, 35, 20, 15))[0]
            for line, product in enumerate(rng.sample(self._goods, lines), 1):
                has_price = rng.random() > _WITHOUT_PRICE
                rows.append(
                    {
                        "order_item_id": f"{order['order_id']}-{line}",
                        "order_id": order["order_id"],
                        "product_id": product["product_id"],
                        "quantity": rng.choice((1, 1, 1, 2, 2, 3, 6)),
                        "unit_price": product["unit_price"] if has_price else None,
                        "_loaded_at": self._arrival(order["ordered_at"]),
                    }
                )
        return self._with_reloads(rows, 12)

    def _payments(self, orders: Sequence[Row], totals: Mapping[str, Decimal]) -> list[Row]:
        """Payments for every order: some in two parts, some on trial two, returns refunded."""
        rng, rows = self._rng, list[Row]()
        for order in orders:
            status, total = order["status"].strip().lower(), totals[order["order_id"]]
            if status in {"placed", "cancelled"}:
                continue
            if rng.random() < _REFUSED_AT_FIRST:
                rows.append(self._payment(order, total, "failed", 0))
            first_part = round(total / 2, 2) if rng.random() < _IN_TWO_PARTS else total
            rows.append(self._payment(order, first_part, "settled", 0))
            if first_part != total:
                rows.append(self._payment(order, total - first_part, "settled", 1))
            if status == "returned":
                rows.append(self._payment(order, -total, "refunded", rng.randint(5, 20)))
        return self._with_reloads(rows, 9)

    def _payment(self, order: Row, amount: Decimal, status: str, after: int) -> Row:
        paid_at = self._moment(order["ordered_at"] + timedelta(days=after), 1)
        return {
            "payment_id": f"PAY{self._next('payment'):05}",
            "order_id": order["order_id"],
            "payment_method": self._rng.choice(_METHODS),
            "status": self._untidy(status),
            "amount": amount,
            "paid_at": paid_at,
            "_loaded_at": self._arrival(paid_at),
        }

    def _next(self, kind: str) -> int:
        self._numbers[kind] += 1
        return self._numbers[kind]

    def _arrival(self, event: datetime) -> datetime:
        """When the load brought the event: mostly within hours, now and then days late."""
        days = self._rng.randint(3, 9) if self._rng.random() < _LATE else 0
        return event + timedelta(days=days, minutes=self._rng.randrange(5, 300))

    def _moment(self, since: datetime, days: int) -> datetime:
        """A second within so many days of another."""
        return since + timedelta(seconds=self._rng.randrange(days * 24 * 60 * 60))

    def _untidy(self, word: str) -> str:
        """The word as a careless system writes it."""
        return self._rng.choice((word, word, word, word.upper(), word.title(), f" {word} "))

    def _with_reloads(self, rows: list[Row], count: int, **changes: object) -> list[Row]:
        """The rows, and `count` of them once more: a third as they were, the rest changed."""
        again = self._rng.sample(rows, count)
        exact, near = again[: count // 3], again[count // 3 :]
        later = timedelta(days=2, minutes=17)
        return rows + exact + [row | changes | {"_loaded_at": row["_loaded_at"] + later} for row in near]


def _loaded_at(row: Row) -> datetime:
    loaded_at: datetime = row["_loaded_at"]
    return loaded_at


def _later(row: Row, delivery: int) -> Row:
    """The row of a later delivery, in the same order among its likes as before."""
    seconds = (row["_loaded_at"] - _FIRST_SIGN_UP).total_seconds() // _SQUEEZED
    return row | {"_loaded_at": _FURTHER + timedelta(days=delivery - 2, seconds=seconds)}


def _last_loads(rows: Sequence[Row], key: str) -> list[Row]:
    return list({row[key]: row for row in rows}.values())


def _order_totals(items: Sequence[Row], goods: Sequence[Row]) -> dict[str, Decimal]:
    """What each order costs, a line that was loaded twice counted once."""
    list_prices = {row["product_id"]: row["unit_price"] for row in goods}
    totals: dict[str, Decimal] = {}
    for line in _last_loads(items, "order_item_id"):
        price = line["unit_price"] or list_prices[line["product_id"]]
        totals[line["order_id"]] = totals.get(line["order_id"], Decimal(0)) + line["quantity"] * price
    return totals
