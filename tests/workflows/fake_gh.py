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
BLOB = "0123456789012345678901234567890123456789"
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
        case ("POST", "git/refs"):
            return 1 if fields["ref"] in held["refs"] else held["refs"].update({fields["ref"]: fields["sha"]}) or 0
        case ("PATCH", ref) if ref.startswith("git/refs/heads/"):
            held["refs"][ref.removeprefix("git/")] = fields["sha"]
        case ("PATCH", pull) if pull.startswith("pulls/"):
            held["pulls"][int(pull.removeprefix("pulls/")) - 1]["body"] = fields["body"]
        case (_, file) if file.startswith("contents/"):
            return _contents(method, file.removeprefix("contents/").partition("?")[0], fields, held["files"])
        case ("POST", "dispatches"):
            return held["unreachable"] and 1
        case _:
            raise NotImplementedError(what)
    return 0


def _contents(method: str, path: str, fields: dict[str, str], files: dict[str, str]) -> int:
    """A file is read for its sha, and written where that is still its sha."""
    if path.startswith("./"):
        return _declined("path contains a malformed path component")
    if method == "GET" and path not in files:
        return _declined("Not Found")
    if method == "GET":
        sys.stdout.write(f"{BLOB}\n")
    elif fields.get("sha") != (BLOB if path in files else None):
        return _declined("the sha is another")
    else:
        files[path] = base64.b64decode(fields["content"]).decode()
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
