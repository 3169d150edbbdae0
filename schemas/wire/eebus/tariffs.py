"""What incentives of a tariff are: descriptions of incentive tables (SPINE resources 1.3.0, IncentiveTable).

An incentive is named by its tariff, its tier and its own number. In coordinated charging (CEVC 1.0.1, scenario 3) the
owner of a table describes the tariff only, and who gives the incentives writes what tiers and incentives it means.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

COST: Final = "absoluteCost"
RENEWABLE: Final = "renewableEnergyPercentage"

_CURRENCY: Final = re.compile("[A-Z]{3}")


def scope_of(description: dict[str, Any]) -> dict[str, Any]:
    """What a description says of its tariff."""
    return {name: text for name, text in description["tariffDescription"].items() if name == "scopeType"}


def described_incentives(description: dict[str, Any]) -> dict[str, dict[str, str]]:
    """What a description says of each incentive, by tier and number; texts that are no currency are left out."""
    found = {}
    for tier in description.get("tier") or ():
        number = tier.get("tierDescription", {}).get("tierId")
        for incentive in tier.get("incentiveDescription", ()):
            said = {name: incentive[name] for name in ("incentiveType", "currency", "unit") if name in incentive}
            if not _CURRENCY.fullmatch(said.get("currency", "")):
                said.pop("currency", None)
            if number is not None and "incentiveType" in said:
                found[incentive_key(number, incentive)] = said
    return found


def incentives_of(slot: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every incentive of a slot of a table, with the number of its tier."""
    for tier in slot.get("tier") or ():
        number = tier.get("tier", {}).get("tierId")
        if number is not None:
            for incentive in tier.get("incentive", ()):
                yield number, incentive


def incentive_key(tier: int, incentive: dict[str, Any]) -> str:
    """The name of an incentive within its tariff.

    >>> incentive_key(1, {"incentiveId": 2})
    '1/2'
    """
    return f"{tier}/{incentive['incentiveId']}"


def explain(
    table: dict[str, Any], scope: dict[str, Any], described: dict[str, dict[str, str]]
) -> tuple[dict[str, dict[str, str]], list[str]]:
    """What explains the incentives of a table, and what is missing for it, as phrases."""
    tariff = table["tariff"]["tariffId"]
    if "scopeType" not in scope:
        return {}, [f"scope of tariff {tariff}"]
    found, missing = {}, []
    for slot in table.get("incentiveSlot", ()):
        for tier, incentive in incentives_of(slot):
            key = incentive_key(tier, incentive)
            said = described.get(key)
            if said is None:
                missing.append(f"incentive {tariff}/{key}")
                continue
            found[key] = said
            lacking = [name for name in ("currency", "unit") if said["incentiveType"] == COST and name not in said]
            missing += [f"{name} of incentive {tariff}/{key}" for name in lacking]
    return found, missing
