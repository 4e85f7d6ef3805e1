"""TabM: an ensemble of networks that share most of their weights, on scaled features."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from emodag.science.baselines.task import Answer, Task, Tick

TABM = {
    "epochs": 20,
    "batch": 256,
    "k": 32,
    "n_blocks": 3,
    "d_block": 128,
    "dropout": 0.1,
    "learning_rate": 2e-3,
    "weight_decay": 3e-4,
}
"""What the authors of TabM suggest to start with (Gorishniy et al. 2025, ICLR; the README of their
repository, "Default hyperparameters") but for the width, of which they take 512, to be affordable
on one thread, and for a fixed number of epochs: they stop by a validation set, which here would
take people from the few there are."""

ROWS_AT_ONCE = 1024
"""Rows per forward pass when predicting."""


def tabm(task: Task, settings: Mapping[str, Any], tick: Tick) -> Answer:
    """TabM, trained with AdamW; each member's loss counts alone, probabilities are averaged."""
    import torch

    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(task.seed)
        return _fitted(task, settings, tick)


def _fitted(task: Task, settings: Mapping[str, Any], tick: Tick) -> Answer:
    import torch
    from tabm import TabM
    from torch.nn.functional import cross_entropy

    model = TabM.make(
        n_num_features=task.train.shape[1],
        d_out=task.classes,
        **{key: settings[key] for key in ("k", "n_blocks", "d_block", "dropout")},
    )
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings["learning_rate"], weight_decay=settings["weight_decay"]
    )
    x, y = torch.from_numpy(task.train), torch.from_numpy(task.labels)
    weight = torch.from_numpy(task.class_weights.astype(np.float32))
    model.train()
    for _ in range(settings["epochs"]):
        for rows in torch.randperm(len(x)).split(settings["batch"]):
            logits = model(x[rows])  # (rows, k, classes)
            truth = y[rows].repeat_interleave(settings["k"])
            optimizer.zero_grad()
            cross_entropy(logits.flatten(0, 1), truth, weight=weight).backward()
            optimizer.step()
        tick()
    model.eval()
    with torch.inference_mode():
        parts = torch.from_numpy(task.unseen).split(ROWS_AT_ONCE)
        found = [model(part).softmax(dim=-1).mean(dim=1) for part in parts]
    return Answer(torch.cat(found).numpy())
