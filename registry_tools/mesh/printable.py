"""Text that somebody else wrote in, one line that a terminal shows and does not obey out."""


def printable(text: str) -> str:
    """The text with every character that is more than a letter on a line as Python escapes it.

    Whatever comes from a registry or a manifest may hold escape sequences, line ends that forge a line of ours, or
    marks that turn the direction of reading.
    """
    return text if text.isprintable() else "".join(map(_character, text))


def _character(character: str) -> str:
    return character if character.isprintable() else ascii(character)[1:-1]
