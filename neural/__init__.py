"""The networks, their weights, training and evaluation."""
