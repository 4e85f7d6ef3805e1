"""The jobs of a configuration."""

import json

from ledger import Job, Workflow


def workflow_of(config):
    """A job per text, which counts its words, and one that ranks the words of all of them."""
    counts = [
        Job(
            name=f"count/{name}",
            stage="count",
            module="words.count",
            inputs={"text": path},
            params={"least": config["least"]},
            outputs=("counts.json",),
        )
        for name, path in config["texts"].items()
    ]
    ranking = Job(
        name="ranking",  # its stage's name, so what it makes lies directly in the results
        stage="ranking",
        module="words.ranking",
        inputs={job.name: (job.name, "counts.json") for job in counts},
        params={"top": config["top"]},
        outputs=("ranking.csv",),
    )
    return Workflow(jobs={job.name: job for job in [*counts, ranking]}, text=json.dumps(config))
