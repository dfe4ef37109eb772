"""Why a statement cannot be run, as errors that know nothing of files and lines: checks.access.running adds those."""


class UnknownStatementError(ValueError):
    """The statement is none that the model knows."""


class DeclinedError(ValueError):
    """The account would decline the statement. `then` is what to do about it."""

    def __init__(self, what: str, *, then: str) -> None:
        super().__init__(what)
        self.then = then
