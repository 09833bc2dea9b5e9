"""Hypothesis profiles for all tests: a busy machine must not make them fail, and two runs must not differ.

`fixed`, the one of `make test`: the examples of a test follow from the test alone. `random`, the one of `make fuzz`,
which sets `KUBEMIN_TEST_RANDOM=1`: new examples each time.
"""

import os

from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture.providers import HypothesisProvider
from hypothesis.internal.constants_ast import Constants

_COMMON = settings(
    deadline=None,
    max_examples=60,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("random", _COMMON)
settings.register_profile("fixed", _COMMON, derandomize=True)

if os.environ.get("KUBEMIN_TEST_RANDOM"):
    settings.load_profile("random")
else:
    settings.load_profile("fixed")
    # Hypothesis draws constants that it finds in our modules, too. Which modules are loaded depends on which tests run
    # in this process, and in which order: with them, a test run alone would not be given the examples of `make test`.
    HypothesisProvider._local_constants = Constants()  # type: ignore[assignment]
