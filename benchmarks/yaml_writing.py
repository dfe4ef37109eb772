"""A manifest in, what its sources YAML took to write out: by us and by PyYAML, in a process of their own.

Both sides are calls and not processes, because PyYAML's would begin with the finished document and ours with the
interface. `python -m benchmarks.yaml_writing MANIFEST RUNS RESULT` leaves the pairs in RESULT as JSON.
"""

import json
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path

import yaml

from benchmarks import timing
from benchmarks.timing import paired
from registry_tools.artifacts.sources import sources_files
from registry_tools.intake.manifest import read_manifest
from registry_tools.intake.public_interface import extract_interface
from registry_tools.mesh.publication import Publication


def main() -> None:
    """Measure, and write the pairs down."""
    manifest, runs, result = sys.argv[1:]
    interface = extract_interface(read_manifest(Path(manifest)))
    publication = Publication(
        project=interface.project, environment="prod", id="", n=1, digest=interface.digest, published_at=""
    )
    texts = sources_files(interface, publication, tests=False).values()
    documents = [yaml.load(text, Loader=yaml.CSafeLoader) for text in texts]
    ours = partial(timing.call, lambda: sources_files(interface, publication, tests=False))
    theirs = partial(
        timing.call, lambda: [yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False) for document in documents]
    )
    pairs = paired(ours, theirs, runs=int(runs))
    Path(result).write_text(json.dumps([[asdict(took) for took in pair] for pair in pairs]))


if __name__ == "__main__":
    main()
