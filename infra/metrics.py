"""What each process counts, for Prometheus at /metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("kept_requests_total", "Requests answered", ["method", "route", "status"])
REQUEST_SECONDS = Histogram("kept_request_seconds", "Seconds per request", ["method", "route"])
JOBS = Counter("kept_jobs_total", "Outbox rows handled", ["topic", "outcome"])
WAITING = Gauge("kept_outbox_waiting", "Outbox rows waiting to be sent")
SENT = Gauge("kept_outbox_sent", "Outbox rows sent and not finished")
DEAD = Gauge("kept_outbox_dead", "Outbox rows dead-lettered")
