"""The fixtures of `tests/workflow`, for what takes long."""

from tests.workflow.conftest import (  # noqa: F401
    copy_of_finished,
    finished,
    finished_nested,
    project,
    reported,
    shared,
)
from tests.workflow.scenarios.conftest import correct, scenario, tiny  # noqa: F401
from tests.workflow.scenarios.test_store_scenarios import mount  # noqa: F401
