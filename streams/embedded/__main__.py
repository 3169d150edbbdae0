"""``python -m streams.embedded up|down``: Kafka and PostgreSQL alone, for tests and benchmarks.

``up`` prints their addresses as shell assignments.
"""

import shlex
import sys

from streams.embedded import stack
from streams.embedded.parts import SERVERS
from streams.settings import SettingsError, home_of, read_state


def main(arguments: list[str]) -> int:
    """Start or stop the servers of the home folder."""
    home = home_of()
    try:
        if arguments == ["down"]:
            stack.down(home)
        elif arguments == ["up"]:
            stack.up(home, only=SERVERS)
            state = read_state(home)
            print(f"KAFKA={shlex.quote(state['kafka'])}")
            print(f"DATABASE_URL={shlex.quote(state['database_url'])}")
        else:
            print("usage: python -m streams.embedded up|down", file=sys.stderr)
            return 2
    except (stack.StackFailed, SettingsError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
