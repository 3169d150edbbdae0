"""What OCPP says of a charging station, its EVSEs and the vehicle at one of them (:mod:`twin.observe.ocpp`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.facts import Scalar
from twin.actors.model import ANY_UNIT, Refers, Twin, anything, carrying, flag, instant, quantity, text, word
from twin.actors.values import Numbers, at_most
from twin.amounts import Number

OCPP: Final = carrying("ocpp")
_PLANNED: Final = f"3 {OCPP}"
"""Where a vehicle says what it wants and plans: to the backend, and over EEBUS to the energy manager (CEVC)."""


_MEGAWATT: Final = at_most(10**6)
_POSITIVE: Final = Numbers(0)
_PERCENT: Final = Numbers(0, 100)
_CONNECTOR: Final = (
    "Available Occupied Preparing Charging SuspendedEVSE SuspendedEV Finishing Reserved Unavailable Faulted"
)
_FIRMWARE: Final = (
    "Downloaded DownloadFailed Downloading DownloadScheduled DownloadPaused Idle InstallationFailed Installing "
    "Installed InstallRebooting InstallScheduled InstallVerificationFailed InvalidSignature SignatureVerified"
)
_STOP: Final = (
    "DeAuthorized EmergencyStop EnergyLimitReached EVDisconnected GroundFault HardReset ImmediateReset Local "
    "LocalOutOfCredit MasterPass Other OvercurrentFault PowerLoss PowerQuality Reboot Remote ReqEnergyTransferRejected "
    "SOCLimitReached SoftReset StoppedByEV TimeLimitReached Timeout UnlockCommand"
)
_TRIGGER: Final = (
    "AbnormalCondition Authorized CablePluggedIn ChargingRateChanged ChargingStateChanged CostLimitReached "
    "Deauthorized EnergyLimitReached EVCommunicationLost EVConnectTimeout EVDeparted EVDetected LimitSet "
    "MeterValueClock MeterValuePeriodic OperationModeChanged RemoteStart RemoteStop ResetCommand RunningCost "
    "SignedDataReceived SoCLimitReached StopAuthorized TariffChanged TariffNotAccepted TimeLimitReached Trigger "
    "TxResumed UnlockCommand"
)
_VERDICTS: Final = (
    "Accepted Blocked ConcurrentTx Expired Invalid NoCredit NotAllowedTypeEVSE NotAtThisLocation NotAtThisTime Unknown"
)
_ERROR: Final = (
    "ConnectorLockFailure EVCommunicationError GroundFailure HighTemperature InternalError LocalListConflict NoError "
    "OtherError OverCurrentFailure OverVoltage PowerMeterFailure PowerSwitchFailure ReaderFailure ResetFailure "
    "UnderVoltage WeakSignal"
)
_MODES: Final = (
    "Idle ChargingOnly CentralSetpoint ExternalSetpoint ExternalLimits CentralFrequency LocalFrequency "
    "LocalLoadBalancing"
)
_TRANSFER: Final = (
    "AC_single_phase AC_two_phase AC_three_phase DC AC_BPT AC_BPT_DER AC_DER DC_BPT DC_ACDP DC_ACDP_BPT WPT"
)
_FAULTS: Final = (
    "CurrentImbalance LocalEmergency LowInputPower OverCurrent OverFrequency OverVoltage PhaseRotation "
    "RemoteEmergency UnderFrequency UnderVoltage VoltageImbalance"
)


@dataclass(frozen=True, kw_only=True)
class Station(Twin):
    """What OCPP says of station and EVSE."""

    registration_status: str | None = word("Accepted Pending Rejected", OCPP, "whether its backend knows it")
    status: str | None = word(_CONNECTOR, OCPP, "state of the whole station (1.6, connector 0)")
    connector_status: str | None = word(_CONNECTOR, OCPP, "state of the first connector of an EVSE")
    connector_statuses: Mapping[str, Scalar] = word(
        _CONNECTOR, OCPP, "state of a further connector", name="connector_status_*"
    )
    error_code: str | None = word(_ERROR, OCPP, "error of a connector (1.6)")
    vendor_error_code: str | None = text(OCPP, "error in its maker's words (1.6)")
    status_info: str | None = text(OCPP, "remark on the state (1.6)")
    availability: str | None = word("Operative Inoperative", OCPP, "as its backend ordered, accepted or scheduled")
    boot_reason: str | None = word(
        "ApplicationReset FirmwareUpdate LocalReset PowerUp RemoteReset ScheduledReset Triggered Unknown Watchdog",
        OCPP,
        "why it started",
    )
    meter_type: str | None = text(OCPP, "type of its meter (1.6)")
    meter_serial_number: str | None = text(OCPP, "serial number of its meter (1.6)")
    iccid: str | None = text(OCPP, "number of its SIM card")
    imsi: str | None = text(OCPP, "subscriber of its SIM card")
    firmware_status: str | None = word(_FIRMWARE, OCPP, "how far a firmware update is")
    diagnostics_status: str | None = word(
        "Idle Uploaded UploadFailed Uploading", OCPP, "how far the upload of diagnostics is (1.6)"
    )
    log_status: str | None = word(
        "AcceptedCanceled BadMessage Idle NotSupportedOperation PermissionDenied Uploaded UploadFailure Uploading",
        OCPP,
        "how far the upload of a log is",
    )
    security_event: str | None = text(OCPP, "latest security event")
    security_event_info: str | None = text(OCPP, "its technical detail")
    reservation_id: Number | None = quantity("", OCPP, "number of the reservation", Numbers())
    reservation_status: str | None = word("Expired NoTransaction Removed", OCPP, "what became of a reservation")
    transaction_id: str | int | None = anything(OCPP, "the transaction, now or latest", name="transaction_id", units="")
    charging_state: str | None = word(
        "Charging EVConnected Idle SuspendedEV SuspendedEVSE", OCPP, "what happens in the transaction"
    )
    trigger_reason: str | None = word(_TRIGGER, OCPP, "why the station told of the transaction")
    stop_reason: str | None = word(_STOP, OCPP, "why the transaction ended")
    operation_mode: str | None = word(_MODES, OCPP, "how the vehicle is driven (2.1)")
    phases_used: Number | None = quantity("", OCPP, "number of phases used", Numbers(0, 3))
    remote_start_id: Number | None = quantity("", OCPP, "number of the request that started the transaction")
    session_start: str | None = instant(OCPP, "when the transaction began")
    session_end: str | None = instant(OCPP, "when the transaction ended")
    id_token: str | None = text(OCPP, "the token shown at it last", refers=Refers("contract"))
    id_token_status: str | None = word(_VERDICTS, OCPP, "what the backend said to it")
    charging_limit: Number | None = quantity(("W", "A", ""), OCPP, "limit in force, import positive", _MEGAWATT)
    charging_setpoint: Number | None = quantity(
        ("W", "A", ""), OCPP, "set point in force, below zero discharges", _MEGAWATT
    )
    discharge_limit: Number | None = quantity(("W", "A", ""), OCPP, "limit of discharge, not above zero", _MEGAWATT)
    external_limit_source: str | None = text(OCPP, "who limits from outside", hint="EMS, SO, CSO, Other", optional=True)
    external_limit_grid_critical: bool | None = flag(OCPP, "whether that limit is critical for the grid")
    der_control_set: str | None = text(OCPP, "control of distributed energy set last, with its id (2.1)")
    der_control: str | None = text(OCPP, "control of distributed energy that began or ended last (2.1)")
    der_control_started: bool | None = flag(OCPP, "whether it began")
    der_alarm: str | None = text(OCPP, "kind of control whose alarm was raised last (2.1)")
    der_alarm_fault: str | None = word(_FAULTS, OCPP, "fault of the grid behind the alarm")
    der_alarm_ended: bool | None = flag(OCPP, "whether the alarm is over")
    priority_charging: bool | None = flag(OCPP, "whether the vehicle is charged before others (2.1)")
    afrr_signal: Number | None = quantity("", OCPP, "signal of frequency restoration reserve (2.1)")
    signed_value_encoding: str | None = text(OCPP, "how the latest signed value is encoded", hint="OCMF ...")
    variable: Mapping[str, Scalar] = text(
        OCPP, "a variable of the device model, <component>.<variable>", name="variable:*"
    )
    stream: Mapping[str, Scalar] = text(OCPP, "value of a periodic event stream (2.1)", name="stream_*", hint="as sent")
    current_measured: Mapping[str, Scalar] = quantity("A", OCPP, "measurand Current.*, of a phase", name="current_*")
    voltage_measured: Mapping[str, Scalar] = quantity("V", OCPP, "measurand Voltage.*, of a phase", name="voltage*")
    power_measured: Mapping[str, Scalar] = quantity(
        ("W", "var", "VA", ""), OCPP, "measurand Power.*, of a phase or place", name="power_*"
    )
    energy_measured: Mapping[str, Scalar] = quantity(
        ("Wh", "varh", "VAh"), OCPP, "measurand Energy.*, of a phase or as an interval", name="energy_*"
    )
    requested_measured: Mapping[str, Scalar] = quantity(
        "Wh", OCPP, "measurand EnergyRequest.* (2.1)", name="energy_request_*"
    )
    display: Mapping[str, Scalar] = anything(OCPP, "measurand Display.* (2.1)", name="display_*", units=ANY_UNIT)
    temperature: Mapping[str, Scalar] = quantity(
        ("°C", "°F", "K"), OCPP, "measurand Temperature (1.6)", name="temperature*"
    )
    rotation: Mapping[str, Scalar] = quantity(ANY_UNIT, OCPP, "measurand RPM: turns of a fan (1.6)", name="rpm*")
    frequency_measured: Mapping[str, Scalar] = quantity(
        "Hz", OCPP, "measurand Frequency, of a phase or place", name="frequency_*"
    )


@dataclass(frozen=True, kw_only=True)
class StationVehicle(Twin):
    """What OCPP 2.x says of the vehicle at an EVSE (use case K15, block Q)."""

    ev_energy_transfer: str | None = word(_TRANSFER, OCPP, "how the vehicle wants to charge")
    ev_control_mode: str | None = word("ScheduledControl DynamicControl", OCPP, "who makes the schedule")
    ev_mobility_needs_mode: str | None = word("EVCC EVCC_SECC", OCPP, "who may change the departure")
    ev_departure: str | None = instant(_PLANNED, "when it wants to leave")
    ev_requested_energy: Number | None = quantity("Wh", _PLANNED, "energy it wants", _POSITIVE)
    ev_min_current: Number | None = quantity("A", OCPP, "smallest current of a phase", _POSITIVE)
    ev_max_current: Number | None = quantity("A", OCPP, "largest current of a phase", _POSITIVE)
    ev_max_voltage: Number | None = quantity("V", OCPP, "largest voltage", _POSITIVE)
    ev_min_voltage: Number | None = quantity("V", OCPP, "smallest voltage", _POSITIVE)
    ev_max_power: Number | None = quantity("W", OCPP, "largest power", _POSITIVE)
    ev_battery_capacity: Number | None = quantity("Wh", OCPP, "capacity of the battery", _POSITIVE)
    ev_full_soc: Number | None = quantity("%", OCPP, "state of charge at which it counts as full", _PERCENT)
    ev_bulk_soc: Number | None = quantity("%", OCPP, "state of charge up to which it charges fast", _PERCENT)
    ev_target_soc: Number | None = quantity("%", OCPP, "state of charge it wants", _PERCENT)
    ev_min_charge_power: Number | None = quantity("W", OCPP, "smallest power of charging", _POSITIVE)
    ev_max_charge_power: Number | None = quantity("W", OCPP, "largest power of charging", _POSITIVE)
    ev_min_discharge_power: Number | None = quantity("W", OCPP, "smallest power of discharging", _MEGAWATT)
    ev_max_discharge_power: Number | None = quantity("W", OCPP, "largest power of discharging", _MEGAWATT)
    ev_min_charge_current: Number | None = quantity("A", OCPP, "smallest current of charging")
    ev_max_charge_current: Number | None = quantity("A", OCPP, "largest current of charging")
    ev_min_discharge_current: Number | None = quantity("A", OCPP, "smallest current of discharging")
    ev_max_discharge_current: Number | None = quantity("A", OCPP, "largest current of discharging")
    ev_target_energy: Number | None = quantity("Wh", OCPP, "energy to the target")
    ev_min_energy: Number | None = quantity("Wh", _PLANNED, "energy to the smallest state of charge it accepts")
    ev_max_energy: Number | None = quantity("Wh", _PLANNED, "energy to full")
    ev_min_v2x_energy: Number | None = quantity("Wh", OCPP, "energy below which it does not discharge")
    ev_max_v2x_energy: Number | None = quantity("Wh", OCPP, "energy above which it does not discharge")
    ev_schedule_start: str | None = instant(_PLANNED, "begin of the schedule it keeps to")
    ev_schedule_limit: Number | None = quantity(("W", "A"), _PLANNED, "what it means to draw first", _MEGAWATT)
    ev_schedule_duration: Number | None = quantity("s", _PLANNED, "how long the schedule is", _POSITIVE)
