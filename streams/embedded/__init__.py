"""The stack on one machine: Kafka, PostgreSQL, workers, archiver and gateway as processes under one supervisor."""
