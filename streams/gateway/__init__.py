"""The HTTP gateway: accepts messages and answers when Kafka has them, or when they are safe on disk."""
