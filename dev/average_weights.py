"""Average finished weights of one network: wandering runs from one start often meet better in the middle.

Run as `python dev/average_weights.py FIRST SECOND … -o NAME`, each a path without suffix.
Wortsman et al. 2022, "Model soups".
"""

import argparse
from pathlib import Path

import torch

from pallas.neural.weights import load_network, save_network


def main() -> None:
    """Write NAME.safetensors and NAME.json: the mean of every number."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", nargs="+", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    given = parser.parse_args()
    networks, abouts = zip(*(load_network(path) for path in given.weights), strict=True)
    if any(network.config != networks[0].config for network in networks):
        raise SystemExit("the networks have different configs; average ones of the same config")
    states = [network.state_dict() for network in networks]
    mean = {
        name: torch.stack([state[name] for state in states]).mean(0)
        if first.is_floating_point()
        else first
        for name, first in states[0].items()
    }
    networks[0].load_state_dict(mean)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    averaged = [str(path) for path in given.weights]
    save_network(given.out, abouts[0]["kind"], networks[0], {"averaged": averaged})


if __name__ == "__main__":
    main()
