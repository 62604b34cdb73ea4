"""Logistic regression."""

from sklearn.linear_model import LogisticRegression


def model(_idim):
    return LogisticRegression(max_iter=300)
