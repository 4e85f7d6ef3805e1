"""What `emodag kaggle` makes of a run that asks for other environments than Kaggle's own."""

import pytest

from emodag.config.sections import load
from emodag.verbs import kaggle
from ledger.errors import InputError


def test_a_run_that_compares_environments_is_refused_at_home():
    with pytest.raises(InputError, match="environments ambient, avx2"):
        drift = {"contrasts": [["avx2", "ambient"]]}
        kaggle._require_one_environment(load({"report": {"drift": True}, "drift": drift}))
    kaggle._require_one_environment(load({}))
    kaggle._require_one_environment(load({"report": {"drift": True}, "drift": {"contrasts": []}}))


def test_packages_of_learners_go_along_where_one_is_asked_for():
    assert kaggle._learners(load({})) == set()
    trees = {"variants": {"trees": {"learner": "lightgbm"}, "linear": {"learner": "svm"}}}
    assert kaggle._learners(load(trees)) == {"lightgbm"}
    space = {"training.mixup": {"uniform": [0, 1]}}
    search = {"trials": 3, "sampler": "tpe", "space": space}
    assert kaggle._learners(load({"search": search})) == {"tpe"}
