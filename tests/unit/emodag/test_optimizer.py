"""`emodag.science.fit.optimizer` computes what torch's optimiser does."""

import pytest
import torch

from emodag.science.fit.optimizer import AdamW


@pytest.mark.parametrize("fused", [True, False])
def test_steps_schedules_and_states_are_torchs(fused):
    found = []
    for kind in (AdamW, torch.optim.AdamW):
        weight = torch.nn.Parameter(torch.linspace(-1, 1, 37).reshape(1, 37).clone())
        options = {"lr": 0.01, "weight_decay": 0.1, "fused": fused}
        optimizer = kind([weight], **options)
        for number in range(6):
            if number == 3:
                state = optimizer.state_dict()
                optimizer = kind([weight], **options)
                optimizer.load_state_dict(state)
            if number in (0, 3):
                schedule = torch.optim.lr_scheduler.StepLR(optimizer, 2)
            optimizer.zero_grad()
            (weight.square().sum() * (number + 1)).backward()
            optimizer.step()
            schedule.step()
        assert weight.grad_fn is None and weight.requires_grad
        found.append((weight.detach(), optimizer.state_dict()["state"][0]["exp_avg_sq"]))
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(*found, strict=True))
