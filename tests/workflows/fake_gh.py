"""GitHub's command line in, a file out that holds what a repository would: comments, branches, files, pull requests.

It knows the calls that our workflows make and no others. Every call is kept with the token that it was made with.
"""

import base64
import json
import os
import re
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

STATE = "FAKE_GH_STATE"
BOT = "github-actions[bot]"
_COMMENTS = '.[] | [.id, .user.login, (.body | split("\\n")[0] | rtrimstr("\\r"))] | @tsv'


def main(words: list[str]) -> int:
    state = Path(os.environ[STATE])
    held = json.loads(state.read_text())
    held["calls"].append({"words": words, "token": os.environ.get("GH_TOKEN", "")})
    code = _answered(words, held)
    state.write_text(json.dumps(held, indent=1))
    return code


def _answered(words: list[str], held: dict[str, Any]) -> int:
    if not os.environ.get("GH_TOKEN"):
        sys.stderr.write("gh: set the GH_TOKEN environment variable\n")
        return 4
    match words:
        case ["api", *rest]:
            return _api(rest, held)
        case ["workflow", "run", workflow, *_]:
            return workflow in held.get("disabled", []) and 1
        case ["pr", "list", *_]:
            numbers = [one["number"] for one in held["pulls"] if one["head"] == _option(words, "--head")]
            sys.stdout.writelines(f"{number}\n" for number in numbers)
            return 0
        case ["pr", "create", *_]:
            held["pulls"].append({"number": len(held["pulls"]) + 1, "head": _option(words, "--head")})
            held["pulls"][-1]["body"] = Path(_option(words, "--body-file")).read_text()
            return 0
    raise NotImplementedError(words)


def _api(words: list[str], held: dict[str, Any]) -> int:
    path = next(word for word in words if word.startswith("repos/"))
    method = _option(words, "--method") if "--method" in words else "GET"
    fields = dict(word.split("=", 1) for flag, word in pairwise(words) if flag in ("-f", "-F"))
    fields = {name: Path(value[1:]).read_text() if value[:1] == "@" else value for name, value in fields.items()}
    what = (method, re.sub(r"^repos/[^/]+/[^/]+/", "", path))
    match what:
        case ("GET", issue) if re.fullmatch(r"issues/\d+/comments", issue):
            assert _option(words, "--jq") == _COMMENTS
            for one in held["comments"]:
                first = one["body"].partition("\n")[0].rstrip("\r")
                sys.stdout.write(f"{one['id']}\t{one['author']}\t{first}\n")
        case ("POST", issue) if re.fullmatch(r"issues/\d+/comments", issue):
            held["comments"].append({"id": len(held["comments"]) + 1, "author": BOT, "body": fields["body"]})
        case ("PATCH", comment) if found := re.fullmatch(r"issues/comments/(\d+)", comment):
            held["comments"][int(found[1]) - 1]["body"] = fields["body"]
        case (_, data) if data.startswith("git/"):
            return _git(method, data.removeprefix("git/"), fields, held)
        case ("PATCH", pull) if pull.startswith("pulls/"):
            held["pulls"][int(pull.removeprefix("pulls/")) - 1]["body"] = fields["body"]
        case ("POST", "dispatches"):
            return held["unreachable"] and 1
        case _:
            raise NotImplementedError(what)
    return 0


def _git(method: str, what: str, fields: dict[str, str], held: dict[str, Any]) -> int:
    """Blobs, trees and commits of one file, each named by what it is made of; a branch is at one of the commits."""
    made = held.setdefault("made", {})
    if method == "GET":
        sys.stdout.write(f"tree of {what.removeprefix('commits/')}\n")
    elif not what.startswith("refs"):
        if fields.get("tree[][path]", "").startswith("./"):
            return _declined("path contains a malformed path component")
        sha = f"{what} {len(made)}"
        made[sha] = fields
        sys.stdout.write(f"{sha}\n")
    elif method == "POST" and fields["ref"] in held["refs"]:
        return _declined("Reference already exists")
    else:
        held["refs"][fields.get("ref") or what] = fields["sha"]
        tree = made[made[fields["sha"]]["tree"]]
        held["files"] = {tree["tree[][path]"]: base64.b64decode(made[tree["tree[][sha]"]]["content"]).decode()}
    return 0


def _declined(message: str) -> int:
    """What it was told stands on stdout, --jq or not (cli/cli, pkg/cmd/api/api.go: `serverError`)."""
    sys.stdout.write(json.dumps({"message": message}))
    sys.stderr.write(f"gh: {message}\n")
    return 1


def _option(words: list[str], flag: str) -> str:
    return words[words.index(flag) + 1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
