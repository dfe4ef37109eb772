"""The GitLab template: its note in a merge request is one, and kept up to date. (Its schema: test_lint.py.)"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.running import REPOSITORY

TEMPLATE = yaml.safe_load((REPOSITORY / "examples/gitlab/mesh.gitlab-ci.yml").read_text())
MARKER = "<!-- mesh-check dbt_up@prod -->"
CURL = """#!/bin/bash
echo "$*" >> "$CALLS"
case "$*" in *per_page*) cat "$NOTES" ;; */user) echo '{"id": 12}' ;; esac
"""


def note(number: int, body: str, *, system: bool = False, author: int = 12) -> dict[str, object]:
    return {"id": number, "body": body, "system": system, "author": {"id": author}}


def told(
    folder: Path, notes: list[dict[str, object]], *, held: str = "secret", report: str = f"{MARKER}\nyes\n"
) -> str:
    """The last call of curl, once the job's script has written the report; nothing where there was none."""
    (folder / "curl").write_text(CURL)
    (folder / "apt-get").write_text("#!/bin/bash\n")
    for name in ("curl", "apt-get"):
        (folder / name).chmod(0o755)
    (folder / "mesh.md").write_text(report)
    (folder / "notes.json").write_text(json.dumps(notes))
    job = TEMPLATE["mesh-impact"]
    (script,) = (line for line in job["script"] if "merge_requests" in line)
    environment = job["variables"] | {
        "PATH": f"{folder}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "CALLS": str(folder / "calls"),
        "NOTES": str(folder / "notes.json"),
        "MESH_GITLAB_TOKEN": held,
        "CI_API_V4_URL": "https://gitlab.example/api/v4",
        "CI_PROJECT_ID": "12",
        "CI_MERGE_REQUEST_IID": "7",
    }
    subprocess.run(["bash", "-eo", "pipefail", "-c", script], cwd=folder, env=environment, check=True)
    calls = folder / "calls"
    return calls.read_text().splitlines()[-1] if calls.exists() else ""


def test_the_note_is_made_once_and_brought_up_to_date_afterwards(tmp_path: Path) -> None:
    others = [
        note(1, "<!-- mesh-check dbt_down@prod -->\nanother project's"),
        note(2, f"{MARKER}\nwhat GitLab says itself", system=True),
        note(3, f"quoted: {MARKER}"),
        note(5, f"{MARKER}\nlooks fine to me", author=666),
    ]
    notes = "https://gitlab.example/api/v4/projects/12/merge_requests/7/notes"
    assert told(tmp_path, others).endswith(f"--request POST --data-urlencode body@mesh.md {notes}")
    mine = [*others, note(4, f"{MARKER}\nno")]
    assert told(tmp_path, mine).endswith(f"--request PUT --data-urlencode body@mesh.md {notes}/4")


@pytest.mark.parametrize(("held", "report"), [("", f"{MARKER}\nyes\n"), ("secret", "")])
def test_without_a_token_or_a_report_nobody_is_asked(tmp_path: Path, held: str, report: str) -> None:
    assert told(tmp_path, [], held=held, report=report) == ""


def test_what_publishes_is_never_cut_off_and_never_twice_at_once() -> None:
    publish = TEMPLATE["mesh-publish"]
    assert publish["interruptible"] is False
    assert publish["resource_group"] == "mesh-$MESH_PROJECT-$DBT_MESH_ENV"
    words = [line.split()[0] for line in publish["script"]]
    assert words.index("publish_manifest") < len(words) - 1 == words.index("mesh", words.index("publish_manifest"))
