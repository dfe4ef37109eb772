"""The policies that Terraform made of the mesh in `mesh.yml` beside them, as they stand in tests/cases/policies."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.infra.policies import Policy

FOLDER: Final = Path(__file__).parents[1] / "cases" / "policies"
KEY: Final = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
BUCKET: Final = "acme-dbt-mesh"


def golden(name: str) -> Policy:
    """`bucket`, `publisher.dbt_up`."""
    policy: Policy = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return policy


def identities() -> Mapping[str, list[Policy]]:
    """The policies of each role, by who assumes it: `dbt_up`, `pull_requests`, `collector`."""
    found = {name: [golden(name)] for name in ("pull_requests", "collector")}
    for path in sorted(FOLDER.glob("*.json")):
        kind, _, rest = path.stem.partition(".")
        if kind in ("publisher", "upstreams", "consumers"):
            found.setdefault(rest.partition(".")[0], []).append(golden(path.stem))
    return found
