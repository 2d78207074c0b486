"""scikit-learn's MLP as a contestant of bench/tables, in the settings that people try first."""
import dataclasses

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


@dataclasses.dataclass
class Setting:
    name: str
    words: dict
    most_rows: int = 10**9


# Enough iterations that nearly all runs end by themselves: by a training loss, or an accuracy of held-out rows, that improves no more.
SETTINGS = [
    Setting("100", {"hidden_layer_sizes": (100,)}),
    Setting("100 early stopping", {"hidden_layer_sizes": (100,), "early_stopping": True}),
    Setting("64 alpha 0.1", {"hidden_layer_sizes": (64,), "alpha": 0.1}, 10000),
    Setting("100 alpha 1", {"hidden_layer_sizes": (100,), "alpha": 1.0}, 10000),
    Setting("256", {"hidden_layer_sizes": (256,)}, 10000),
    Setting("256 early stopping", {"hidden_layer_sizes": (256,), "early_stopping": True}, 10000),
]
MOST_ITERATIONS = 1000


def floats(x):
    return x.astype(float)


def encoder(table):
    """Numbers standardised, missing ones set to the median with an indicator; text one-hot. Of plain tables a scaler alone."""
    if not table.text and not table.missing:
        return StandardScaler()
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    return ColumnTransformer([("numbers", numbers, table.numeric), ("text", OneHotEncoder(handle_unknown="ignore", sparse_output=False), table.text)])


def fit(setting, table, train, test):
    """Score on the test rows; and how many iterations it took."""
    model = MLPRegressor if table.source.number else MLPClassifier
    net = model(random_state=0, max_iter=MOST_ITERATIONS, **setting.words)
    pipeline = make_pipeline(encoder(table), net)
    pipeline.fit(table.x[train], table.y[train])
    return float(pipeline.score(table.x[test], table.y[test])), {"iterations": int(net.n_iter_)}
