"""The fixtures of `tests/workflow`, for what takes long."""

from tests.workflow.conftest import copy_of_finished, finished, project, shared  # noqa: F401
from tests.workflow.scenarios.conftest import correct, scenario, tiny  # noqa: F401
from tests.workflow.scenarios.test_store_scenarios import mount  # noqa: F401
