"""Spans of what the processes do for a task. Only `otel` imports OpenTelemetry, and only where it is asked for."""
