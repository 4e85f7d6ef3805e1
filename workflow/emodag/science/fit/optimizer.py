"""AdamW (Loshchilov and Hutter 2019) without the wait for torch's compiler."""

from inspect import unwrap

import torch


class AdamW(torch.optim.AdamW):
    """torch's optimiser, whose methods do not import torch's compiler when first called.

    They are wrapped so that a compiler leaves them alone, and the wrappers import it: a second or
    more of every fit, none of which is compiled. Where they are not wrapped this changes nothing.
    """

    add_param_group = unwrap(torch.optim.AdamW.add_param_group)
    zero_grad = unwrap(torch.optim.AdamW.zero_grad)
    state_dict = unwrap(torch.optim.AdamW.state_dict)
    load_state_dict = unwrap(torch.optim.AdamW.load_state_dict)
    step = torch.no_grad()(unwrap(torch.optim.AdamW.step))
