"""The lifter: what one camera saw of a person in, the body in space out."""
