"""The JSON schemas of every version of OCPP, from the package ``ocpp``."""

import json
from functools import cache
from importlib.resources import files

import jsonschema_rs

FOLDERS = {"ocpp1.6": ("v16", ""), "ocpp2.0.1": ("v201", "Request"), "ocpp2.1": ("v21", "Request")}


@cache
def validator(subprotocol, action, is_result):
    folder, suffix = FOLDERS[subprotocol]
    name = f"{action}Response.json" if is_result else f"{action}{suffix}.json"
    text = files("ocpp").joinpath(folder, "schemas", name).read_text(encoding="utf-8-sig")
    return jsonschema_rs.validator_for(json.loads(text))
