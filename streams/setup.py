"""``python -m streams.setup``: topics and tables as this version wants them; done before anything reads or writes."""

import sys

import psycopg

from streams.migrate import MigrationError, migrate
from streams.settings import SettingsError, settings
from streams.topics import TopicsMissing, ensure_topics


def main() -> int:
    """Make what is missing; the exit code says whether all is there."""
    try:
        config = settings()
        made = ensure_topics(config.kafka, prefix=config.topic_prefix)
        applied = migrate(config.database_url, config.schema)
    except (SettingsError, TopicsMissing, MigrationError, psycopg.Error) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{made} topics made, {len(applied)} migrations applied to {config.schema}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
