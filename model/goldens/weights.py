"""Weights by chance for the tiny models, rounded to 16 bits, so that both sides compute with the same numbers."""

import torch


def randomise(model):
    for name, weight in model.named_parameters():
        if name.endswith("norm.weight"):
            torch.nn.init.normal_(weight, mean=1.0, std=0.2)
        elif name.endswith("bias"):
            torch.nn.init.normal_(weight, std=0.5)
        elif "embed_tokens" in name:
            torch.nn.init.normal_(weight, std=1.0)
        else:
            torch.nn.init.normal_(weight, std=1.6 / weight.shape[1] ** 0.5)
        weight.data = weight.data.half().float()
