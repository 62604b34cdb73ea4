"""Boosted decision trees, which MLaaS4HEP's validation compares the network with."""

from xgboost import XGBClassifier


def model(_idim):
    return XGBClassifier(n_estimators=200, max_depth=5, learning_rate=0.1, random_state=1)
