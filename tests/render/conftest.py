"""Hypothesis without clocks: a busy machine is no failure."""

from hypothesis import HealthCheck, settings

settings.register_profile("pure", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pure")
