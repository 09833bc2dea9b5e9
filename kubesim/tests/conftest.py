"""The hypothesis profile of these tests: a busy machine must not make them fail, and two runs must not differ.

For new examples: ``pytest --hypothesis-profile default``. Another suite that runs these tests may load one of its own.
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "kubesim",
    deadline=None,
    max_examples=60,
    database=None,
    print_blob=True,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
if settings.get_current_profile_name() in ("default", "ci"):
    settings.load_profile("kubesim")
