"""The network of MLaaS4HEP's validation."""

import keras
from keras import layers


def model(idim):
    keras.utils.set_random_seed(1)
    network = keras.Sequential(
        [
            keras.Input((idim,)),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    network.compile(optimizer="adam", loss="binary_crossentropy")
    return network
