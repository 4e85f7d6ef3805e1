"""The fixtures of `tests/workflow`, for what takes long."""

from tests.workflow.conftest import (  # noqa: F401
    copy_of_finished,
    finished,
    finished_nested,
    finished_words,
    nested,
    project,
    reported,
    shared,
    words,
)
from tests.workflow.scenarios.conftest import correct, scenario, tiny  # noqa: F401
from tests.workflow.scenarios.test_store_scenarios import mount  # noqa: F401
from tests.workflow.test_diff import other  # noqa: F401
from tests.workflow.test_pack_runs import machines  # noqa: F401
from tests.workflow.test_preset import with_preset  # noqa: F401
from tests.workflow.test_restore import warm  # noqa: F401
