"""What went wrong, as one sentence that says what to do."""

import psycopg
from kafka.errors import KafkaError
from psycopg import errors

from streams.settings import masked, settings

_RUNS = "`twin status` says what runs"


def sentence_of(problem: Exception) -> str:
    """The sentence a person reads instead of a stack trace."""
    first = first_line(problem)
    if isinstance(problem, (errors.UndefinedTable, errors.InvalidSchemaName)):
        return f"the database has no tables yet ({first}); `twin migrate` makes them"
    if isinstance(problem, psycopg.OperationalError):
        return f"the database at {masked(settings().database_url)} does not answer ({first}); {_RUNS}"
    if isinstance(problem, KafkaError) or type(problem).__module__.startswith("aiokafka"):
        return f"Kafka at {settings().kafka} does not answer ({first or type(problem).__name__}); {_RUNS}"
    if isinstance(problem, FileNotFoundError) and problem.filename is not None:
        return f"there is no file {problem.filename}"
    if isinstance(problem, OSError) and problem.filename is not None:
        return f"{problem.filename}: {problem.strerror}"
    if isinstance(problem, LookupError) and problem.args:
        return str(problem.args[0])  # str() of a KeyError puts it into quotes
    return first or f"{type(problem).__name__}; --debug shows where"


def first_line(problem: Exception) -> str:
    """What it says, up to the first line's end; empty where it says nothing."""
    return str(problem).strip().partition("\n")[0]
