"""Workers as processes of their own, for tests: started, killed, asked how far they are."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psycopg
from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import CoordinatorNotAvailableError

from streams import lag
from streams.settings import settings
from streams.worker import GROUP

ROOT = Path(__file__).parents[2]


class Road:
    """One twin on real servers: topics under a prefix, a schema, and the workers between them."""

    def __init__(self, kafka, database_url, schema, prefix, home):
        self.kafka, self.database_url, self.schema, self.prefix = kafka, database_url, schema, prefix
        self.environment = {
            "TWIN_KAFKA": kafka,
            "TWIN_DATABASE_URL": database_url,
            "TWIN_SCHEMA": schema,
            "TWIN_TOPIC_PREFIX": prefix,
            "TWIN_HOME": str(home),
            "PGAPPNAME": schema,
        }
        self.home = home
        self.config = settings(self.environment)
        self.workers = []

    def set_up(self):
        """Do what a stack does before its workers start."""
        environment = {**os.environ, **self.environment}
        subprocess.run([sys.executable, "-m", "streams.setup"], cwd=ROOT, env=environment, check=True, timeout=60)

    def start(self):
        """Start a worker; it is not waited for."""
        worker = Worker(self, len(self.workers))
        self.workers.append(worker)
        return worker

    def send(self, records, topic=None):
        """Append records (key, value) to the topics they name, and wait until the broker has them."""
        producer = KafkaProducer(bootstrap_servers=self.kafka, acks="all", linger_ms=5)
        for record in records:
            producer.send(self.prefix + (topic or record.topic), record.value, record.key)
        producer.flush()
        producer.close()

    def members(self):
        """How many partitions each live worker has."""
        admin = KafkaAdminClient(bootstrap_servers=self.kafka)
        try:
            (group,) = admin.describe_groups([self.prefix + GROUP]).values()
        except CoordinatorNotAvailableError:  # a broker without any group yet is still making the topic for them
            return []
        finally:
            admin.close()
        assigned = (member["member_assignment"] for member in group["members"])
        return [
            sum(len(topic["partitions"]) for topic in each["assigned_partitions"]) if each else 0 for each in assigned
        ]

    def wait_written(self, patience_s=120.0):
        lag.wait_until_written(self.config, patience_s)

    def rows(self, query, *values):
        with psycopg.connect(self.database_url) as connection:
            connection.execute(f"set search_path to {self.schema}, public")
            return connection.execute(query, values).fetchall()

    def wait_for(self, condition, patience_s=120.0):
        deadline = time.monotonic() + patience_s
        while not condition():
            dead = [worker for worker in self.workers if not worker.killed and worker.process.poll() is not None]
            assert not dead, f"a worker ended by itself: {dead[0].log()[-3000:]}"
            assert time.monotonic() < deadline, "\n".join(worker.log()[-2000:] for worker in self.workers)
            time.sleep(0.1)

    def close(self):
        for worker in self.workers:
            worker.kill()


class Worker:
    """One process."""

    def __init__(self, road, number):
        self.ready_file = road.home / f"ready-{number}"
        self.log_file = road.home / f"worker-{number}.log"
        self.killed = False
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "streams.worker"],
                cwd=ROOT,
                env={**os.environ, **road.environment, "TWIN_READY_FILE": str(self.ready_file)},
                stdout=log,
                stderr=log,
            )

    def is_ready(self):
        return self.ready_file.exists()

    def log(self):
        return self.log_file.read_text("utf-8", "replace")

    def kill(self):
        """SIGKILL: it has no time to say anything."""
        self.killed = True
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self):
        """SIGTERM: it writes what it has read; its exit code."""
        self.killed = True
        self.process.terminate()
        return self.process.wait(20)
