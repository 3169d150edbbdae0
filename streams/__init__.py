"""Gateways, producer, worker, sink and the embedded stack."""
