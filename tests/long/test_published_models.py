"""`predict` and `export` by the models of the published protocol."""

from tests.workflow.test_export import the_loader_predicts_as_the_run_does
from tests.workflow.test_predict import the_rows_of_the_submission_get_its_classes


def test_they_predict_as_the_run_does(copy_of_finished):
    the_rows_of_the_submission_get_its_classes(copy_of_finished)
    the_loader_predicts_as_the_run_does(copy_of_finished)
