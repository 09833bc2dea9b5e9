"""One Hypothesis profile for all tests: a busy machine must not make them fail."""

from hypothesis import HealthCheck, settings

settings.register_profile("kubemin", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kubemin")
