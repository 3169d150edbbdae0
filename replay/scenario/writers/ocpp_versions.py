"""The versions of OCPP that the street speaks."""

from typing import Final

from replay.scenario.writers.ocpp_1_6 import Ocpp16
from replay.scenario.writers.ocpp_2 import Ocpp2
from replay.scenario.writers.ocpp_dialect import Dialect

DIALECTS: Final[dict[str, Dialect]] = {"1.6": Ocpp16(), "2.0.1": Ocpp2(is_2_1=False), "2.1": Ocpp2(is_2_1=True)}
