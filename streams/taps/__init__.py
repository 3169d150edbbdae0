"""Ways in that listen: they stand where messages pass anyway, and take a copy of each.

| command | listens to |
|---|---|
| ``python -m streams.taps.ocpp`` | charging stations and their backend, over WebSocket |
| ``python -m streams.taps.tcp`` | both ends of a TCP connection: IEC 60870-5-104, SML, M-Bus ... |
| ``python -m streams.taps.mqtt`` | an MQTT broker |
| ``python -m streams.taps.folder`` | files that others put into a folder |

All go the gateway's road (:mod:`streams.gateway.road`): decoded, then into Kafka, over the disk while Kafka is away.
The first two stand in the middle of somebody's business, so they only pass on and write down what they heard
(:mod:`~streams.taps.pages`); a process beside them (:mod:`~streams.taps.recorder`) decodes and sends.
"""
