"""What a dynamic tariff says: the price of every quarter hour, in the unit the supplier names.

Series ``price.tariff``; its object is the market location the answer is for, else the tariff, else the supplier. The
version is when the prices were issued, else when the log took the answer, else the first price's time: prices once
announced for a quarter hour are replaced by later ones. The price of an hour holds for its four quarter hours.
"""

from decimal import Decimal
from typing import Final

from schemas.event import Event
from schemas.facts import MEASURED, Facts, Observation, Reject, SlotValue
from schemas.time import SLOT_US, format_time

PRICE_LIMITS: Final = {"EUR/MWh": 20_000, "ct/MWh": 2_000_000, "EUR/kWh": 20, "ct/kWh": 2_000}
"""Beyond these no price is believed: a unit was mixed up."""


_LONGEST_US: Final = 100 * SLOT_US


def observe(event: Event, facts: Facts) -> None:
    """Append the prices and up to when they are known."""
    said, actor = event.payload, event.actor
    place = said["malo"] or said["tariff"] or actor.partition(":")[2]
    first_us = said["prices"][0][0]
    told_us = first_us if event.time_us is None else event.time_us
    version = f"{format_time(told_us)}|{actor.partition(':')[2]}|{said['tariff']}"
    last_us = first_us
    for start_us, end_us, amount in said["prices"]:
        price, where = Decimal(amount), f"{place} from {format_time(start_us)} to {format_time(end_us)}"
        if start_us % SLOT_US or end_us % SLOT_US or end_us == start_us:
            facts.rejects.append(Reject("not-a-quarter-hour", f"{where}: no whole quarter hours"))
        elif abs(price) > PRICE_LIMITS[said["unit"]]:
            facts.rejects.append(Reject("implausible-price", f"{where}: {price} {said['unit']}"))
        elif end_us - start_us > _LONGEST_US:
            facts.rejects.append(Reject("no-dynamic-price", f"{where}: one price for more than a day"))
        else:
            last_us = max(last_us, end_us)
            facts.slot_values += [
                SlotValue("price.tariff", place, slot_us, price, said["unit"], MEASURED, version)
                for slot_us in range(start_us, end_us, SLOT_US)
            ]
    if event.time_us is not None:
        named = {"tariff": said["tariff"], "prices_until": format_time(last_us)}
        facts.observations += [
            Observation(actor, name, text, "", event.time_us) for name, text in named.items() if text
        ]
