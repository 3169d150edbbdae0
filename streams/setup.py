"""``python -m streams.setup``: topics and tables as this version wants them; done before anything reads or writes."""

import asyncio
import sys

import psycopg
from aiokafka.errors import KafkaError

from streams.migrate import MigrationError, migrate
from streams.restoring import restore_quarantine
from streams.settings import SettingsError, settings
from streams.topics import TopicsMissing, ensure_topics


def main() -> int:
    """Make what is missing; the exit code says whether all is there."""
    try:
        config = settings()
        made = ensure_topics(config.kafka, prefix=config.topic_prefix)
        applied = migrate(config.database_url, config.schema)
        restored = asyncio.run(restore_quarantine(config))
    except (SettingsError, TopicsMissing, MigrationError, psycopg.Error, KafkaError) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{made} topics made, {len(applied)} migrations applied to {config.schema}")
    if restored:
        print(f"{restored} records of the quarantine read again, for {config.schema} is new")
    return 0


if __name__ == "__main__":
    sys.exit(main())
