"""What the data of the functions read here must look like, in the normalised form (SPINE resources 1.3.0).

Fields that are not named may hold anything; a function that is not named is kept as it came.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import jsonschema_rs

from schemas.wire.contract import SchemaViolation
from schemas.wire.eebus.moments import absolute_us, duration_us, moment_us

_DETAIL_LIMIT: Final = 300
_ID_LIMIT: Final = 2**32

_ITEMS_LIMIT: Final = 10_000
"""Items of a list; devices have some dozens. Each is explained, so a message grows on its way into the log."""

_SERIES_LIMIT: Final = 100
"""Time series of a message; vehicles have three. Each may be told for a week of quarter hours."""

_TIERS_LIMIT: Final = 100
"""Tiers of a tariff, and incentives of a tier; in coordinated charging there are three of one."""

_Schema = dict[str, Any]


def _object(*required: str, **fields: _Schema) -> _Schema:
    return {"type": "object", "required": list(required), "properties": fields}


def _list(element: _Schema, most: int = _ITEMS_LIMIT) -> _Schema:
    return {"type": "array", "items": element, "maxItems": most}


def _tiers(**fields: _Schema) -> _Schema:
    """Tiers; an empty list of the wire looks like an empty sequence, for ``tier`` names an element of a tier too."""
    return _list(_object(**fields), _TIERS_LIMIT) | {"type": ["array", "object"], "maxProperties": 0}


_TEXT: Final = {"type": "string", "maxLength": 4096}
_WORD: Final = {"type": "string", "maxLength": 100}
_COUNTER: Final = {"type": "integer", "minimum": 0}
_FLAG: Final = {"type": "boolean"}
_ID: Final = {"type": "integer", "minimum": 0, "maximum": _ID_LIMIT}
_INSTANT: Final = {"type": "string", "format": "spine-instant"}
_DURATION: Final = {"type": "string", "format": "spine-duration"}
_MOMENT: Final = {"type": "string", "format": "spine-moment"}
_SCALED: Final = _object(
    number={"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    scale={"type": "integer", "minimum": -24, "maximum": 24},
)
"""``number * 10 ** scale``; the scale is a byte in SPINE, beyond 24 it is no quantity of energy [M]."""

_PERIOD: Final = _object(startTime=_MOMENT, endTime=_MOMENT)
_EDGE: Final = _object(dateTime=_INSTANT, relative=_DURATION)
_TARIFF: Final = _object("tariffId", tariffId=_ID)
_ADDRESS: Final = _object(device=_TEXT, entity=_list(_ID), feature=_ID)
_RANGE: Final = _object(min=_SCALED, max=_SCALED)
_ONE_OR_MORE_SCALED: Final = {"anyOf": [_SCALED, _list(_SCALED)]}
_ONE_OR_MORE_RANGES: Final = {"anyOf": [_RANGE, _list(_RANGE)]}

_DESCRIPTION_FIELDS: Final = (
    "acMeasuredInReferenceTo",
    "acMeasuredPhases",
    "acMeasurementType",
    "keyName",
    "limitCategory",
    "limitDirection",
    "limitType",
    "measurementType",
    "positiveEnergyDirection",
    "powerSupplyType",
    "scopeType",
    "timeSeriesType",
    "unit",
    "valueType",
)
_DESCRIBED: Final = dict.fromkeys(_DESCRIPTION_FIELDS, _TEXT)
_MANUFACTURER: Final = (
    "deviceName",
    "deviceCode",
    "serialNumber",
    "softwareRevision",
    "hardwareRevision",
    "vendorName",
    "vendorCode",
    "brandName",
    "powerSource",
)

_DATA: Final[dict[str, _Schema]] = {
    "nodeManagementDetailedDiscoveryData": _object(
        deviceInformation=_object(description=_object(deviceAddress=_object(device=_TEXT), deviceType=_TEXT)),
        entityInformation=_list(
            _object(description=_object(entityAddress=_ADDRESS, entityType=_TEXT, lastStateChange=_TEXT))
        ),
        featureInformation=_list(_object(description=_object(featureAddress=_ADDRESS, featureType=_TEXT, role=_TEXT))),
    ),
    "nodeManagementUseCaseData": _object(
        useCaseInformation=_list(
            _object(
                address=_ADDRESS,
                actor=_TEXT,
                useCaseSupport=_list(
                    _object(useCaseName=_TEXT, useCaseVersion=_TEXT, useCaseAvailable=_FLAG, scenarioSupport=_list(_ID))
                ),
            )
        )
    ),
    "measurementDescriptionListData": _object(
        measurementDescriptionData=_list(_object("measurementId", measurementId=_ID, **_DESCRIBED))
    ),
    "measurementListData": _object(
        measurementData=_list(
            _object(
                "measurementId",
                measurementId=_ID,
                valueType=_TEXT,
                timestamp=_MOMENT,
                value=_SCALED,
                valueSource=_TEXT,
                valueState=_TEXT,
            )
        )
    ),
    "electricalConnectionDescriptionListData": _object(
        electricalConnectionDescriptionData=_list(
            _object("electricalConnectionId", electricalConnectionId=_ID, acConnectedPhases=_ID, **_DESCRIBED)
        )
    ),
    "electricalConnectionParameterDescriptionListData": _object(
        electricalConnectionParameterDescriptionData=_list(
            _object(
                "electricalConnectionId",
                "parameterId",
                electricalConnectionId=_ID,
                parameterId=_ID,
                measurementId=_ID,
                **_DESCRIBED,
            )
        )
    ),
    "electricalConnectionPermittedValueSetListData": _object(
        electricalConnectionPermittedValueSetData=_list(
            _object(
                "electricalConnectionId",
                "parameterId",
                electricalConnectionId=_ID,
                parameterId=_ID,
                permittedValueSet=_list(_object(value=_ONE_OR_MORE_SCALED, range=_ONE_OR_MORE_RANGES)),
            )
        )
    ),
    "electricalConnectionCharacteristicListData": _object(
        electricalConnectionCharacteristicData=_list(_object(characteristicType=_TEXT, value=_SCALED, unit=_TEXT))
    ),
    "loadControlLimitDescriptionListData": _object(
        loadControlLimitDescriptionData=_list(_object("limitId", limitId=_ID, measurementId=_ID, **_DESCRIBED))
    ),
    "loadControlLimitListData": _object(
        loadControlLimitData=_list(
            _object(
                "limitId",
                limitId=_ID,
                isLimitChangeable=_FLAG,
                isLimitActive=_FLAG,
                timePeriod=_PERIOD,
                value=_SCALED,
            )
        )
    ),
    "deviceConfigurationKeyValueDescriptionListData": _object(
        deviceConfigurationKeyValueDescriptionData=_list(_object("keyId", keyId=_ID, **_DESCRIBED))
    ),
    "deviceConfigurationKeyValueListData": _object(
        deviceConfigurationKeyValueData=_list(
            _object(
                "keyId",
                keyId=_ID,
                value=_object(
                    boolean=_FLAG, dateTime=_TEXT, duration=_DURATION, string=_TEXT, scaledNumber=_SCALED, integer=_ID
                ),
            )
        )
    ),
    "timeSeriesDescriptionListData": _object(
        timeSeriesDescriptionData=_list(_object("timeSeriesId", timeSeriesId=_ID, **_DESCRIBED))
    ),
    "timeSeriesListData": _object(
        timeSeriesData=_list(
            _object(
                "timeSeriesId",
                timeSeriesId=_ID,
                timePeriod=_PERIOD,
                timeSeriesSlot=_list(
                    _object(timePeriod=_PERIOD, duration=_DURATION, value=_SCALED, minValue=_SCALED, maxValue=_SCALED)
                ),
            ),
            _SERIES_LIMIT,
        )
    ),
    "timeSeriesConstraintsListData": _object(
        timeSeriesConstraintsData=_list(_object("timeSeriesId", timeSeriesId=_ID))
    ),
    "incentiveTableDescriptionData": _object(
        incentiveTableDescription=_list(
            _object(
                "tariffDescription",
                tariffDescription=_object("tariffId", tariffId=_ID, scopeType=_TEXT),
                tier=_tiers(
                    tierDescription=_object(tierId=_ID),
                    incentiveDescription=_list(
                        _object(
                            "incentiveId",
                            incentiveId=_ID,
                            incentiveType=_WORD,
                            currency=_WORD,
                            unit=_WORD,
                        ),
                        _TIERS_LIMIT,
                    ),
                ),
            ),
            _SERIES_LIMIT,
        )
    ),
    "incentiveTableConstraintsData": _object(incentiveTableConstraints=_list(_object("tariff", tariff=_TARIFF))),
    "incentiveTableData": _object(
        incentiveTable=_list(
            _object(
                "tariff",
                tariff=_TARIFF,
                incentiveSlot=_list(
                    _object(
                        timeInterval=_object(startTime=_EDGE, endTime=_EDGE),
                        tier=_tiers(
                            tier=_object(tierId=_ID),
                            incentive=_list(_object("incentiveId", incentiveId=_ID, value=_SCALED), _TIERS_LIMIT),
                        ),
                    )
                ),
            ),
            _SERIES_LIMIT,
        )
    ),
    "deviceDiagnosisHeartbeatData": _object(timestamp=_MOMENT, heartbeatCounter=_COUNTER, heartbeatTimeout=_DURATION),
    "deviceDiagnosisStateData": _object(
        timestamp=_MOMENT, operatingState=_TEXT, vendorStateCode=_TEXT, lastErrorCode=_TEXT, upTime=_DURATION
    ),
    "deviceClassificationManufacturerData": _object(**dict.fromkeys(_MANUFACTURER, _TEXT)),
    "identificationListData": _object(
        identificationData=_list(
            _object(
                "identificationId",
                identificationId=_ID,
                identificationType=_TEXT,
                identificationValue=_TEXT,
                authorized=_FLAG,
            )
        )
    ),
    "resultData": _object("errorNumber", errorNumber=_ID, description=_TEXT),
}

READ: Final = frozenset(_DATA)
"""The functions whose data is checked, and says something."""


def _accepts(read: Callable[[str], object]) -> Callable[[str], bool]:
    def accepts(text: str) -> bool:
        try:
            read(text)
        except ValueError:
            return False
        return True

    return accepts


@cache
def _validator(function: str) -> Any:
    formats = {
        "spine-instant": _accepts(absolute_us),
        "spine-duration": _accepts(duration_us),
        "spine-moment": _accepts(lambda text: moment_us(text, 0)),
    }
    return jsonschema_rs.validator_for(_DATA[function], validate_formats=True, formats=formats)


def check(function: str, data: dict[str, Any]) -> None:
    """Hold the data of a function against what it must look like.

    Raises:
        SchemaViolation: a field is missing, of the wrong type or out of range.
    """
    if function not in _DATA or _validator(function).is_valid(data):
        return
    for error in _validator(function).iter_errors(data):
        where = "/".join(str(step) for step in error.instance_path)
        raise SchemaViolation(f"{function} {where}: {error.message}"[:_DETAIL_LIMIT])
