"""A mesh, its registry and this machine in, what is wrong with them out, one observation at a time.

Everything is looked at whatever was found before, and nothing is waited for without end.
"""

import os
import platform
import re
import shutil
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final, TypeVar
from urllib.request import getproxies, proxy_bypass

from registry_tools.errors import DocumentError, IntegrityError, MeshError, RegistryError
from registry_tools.intake.manifest import read_manifest
from registry_tools.intake.profile import Address, NotSaidError, find_profiles, read_address
from registry_tools.intake.project import FILE as PROJECT_FILE
from registry_tools.intake.project import ProjectFolder, read_project
from registry_tools.mesh.observation import Observation, Verdict
from registry_tools.mesh.publication import Publication
from registry_tools.mesh.upstream import Upstream
from registry_tools.registry.cache import FOLDER_VARIABLE, cache_folder
from registry_tools.registry.probes import forbids, look_at_store, probe_store
from registry_tools.registry.publications import Registry
from registry_tools.registry.s3 import Connection, S3Store

REACH: Final = "reach"
_MESH_FOLDER: Final = ".mesh"
_OLDEST_DBT: Final = (1, 5)  # the first whose manifests know public models
_WITHOUT_PLUGINS: Final = 2  # dbt-core 2 takes no Python plugins, and dbt-loom is one
_LOOK_SECONDS: Final = 20
_PROBE_SECONDS: Final = 120
_SNOWFLAKE_SECONDS: Final = 15
_CONNECT_SECONDS: Final = 5
_SKEW_SECONDS: Final = 300  # AWS refuses from 900 on
_NETWORK: Final = "check the network, or the account in profiles.yml; publish and sync do not need Snowflake"

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A project of the mesh: where it should be, and what it should read from which environment."""

    name: str
    path: Path
    upstreams: tuple[Upstream, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ExaminationRequest:
    """What to look at. `home` is where mesh.yml is, or the project; `here` is the folder in which that was asked, and
    `registry` None where none is named.
    """

    home: Path
    here: Path
    members: tuple[Member, ...]
    reads: tuple[str, ...]
    registry: Registry | None
    environment: Mapping[str, str]
    profiles: Path | None = None
    target: str | None = None
    read_only: bool = False


def examine_mesh(request: ExaminationRequest) -> Iterator[Observation]:
    """Look at the projects, this machine, dbt, Snowflake and the registry, which comes last: an error at the check
    `reach` means that it could not be reached, and that nothing more is known of it.
    """
    folders: list[ProjectFolder] = []
    for member in request.members:
        yield from _project(member, request.environment, folders)
    yield from _machine(request.home, request.environment)
    for folder in folders:
        yield from _target(folder)
    yield from _dbt(request.members)
    try:
        yield from _as_they_come(_SNOWFLAKE_SECONDS, _snowflake(folders, request))
    except TimeoutError:
        yield _saw("snowflake", "account", "warning", f"no answer within {_SNOWFLAKE_SECONDS} s", _NETWORK)
    if request.registry is not None:
        yield from _registry(request.registry, request)


# -- projects and machine ---------------------------------------------------------------------------------------------


def _project(member: Member, environment: Mapping[str, str], found: list[ProjectFolder]) -> Iterator[Observation]:
    if not os.access(member.path / PROJECT_FILE, os.F_OK):
        what, then = f"{member.path} holds no dbt project", f"correct the path of {member.name} in mesh.yml"
        yield _saw("mesh", "project", "error", what, then)
        return
    try:
        folder = read_project(member.path, environment)
    except MeshError as error:
        yield _failed("mesh", "project", error)
        return
    if folder.name != member.name:
        what = f"{folder.path} holds the project {folder.name}, not {member.name}"
        yield _saw("mesh", "project", "error", what, f"correct the name or the path of {member.name} in mesh.yml")
        return
    found.append(folder)
    reads = ", ".join(f"{upstream.name} as {upstream.way}" for upstream in member.upstreams)
    yield _saw("mesh", "project", "ok", f"{member.name}{f' reads {reads}' if reads else ''}")


def _machine(home: Path, environment: Mapping[str, str]) -> Iterator[Observation]:
    yield _saw("machine", "python", "ok", f"Python {platform.python_version()}, mesh {_version('registry-tools')}")
    yield _folder(
        "disk", home / _MESH_FOLDER, "error", "mend its rights: the embedded mesh and a local registry live there"
    )
    then = f"mend its rights or set {FOLDER_VARIABLE}: without a cache every sync reads the registry anew"
    yield _folder("cache", cache_folder(environment), "warning", then)


def _folder(check: str, folder: Path, verdict: Verdict, then: str) -> Observation:
    standing = next((above for above in (folder, *folder.parents) if os.access(above, os.F_OK)), folder)
    if standing.is_dir() and os.access(standing, os.W_OK | os.X_OK):
        return _saw("machine", check, "ok", f"{folder} may be written")
    return _saw("machine", check, verdict, f"{folder} may not be written", then)


def _target(folder: ProjectFolder) -> Iterator[Observation]:
    if not os.access(folder.manifest, os.F_OK):
        then = f"cd {folder.path} && dbt build, before it publishes"
        yield _saw("machine", "manifest", "note", f"{folder.name} is not built here: no {folder.manifest}", then)
        return
    try:
        manifest = read_manifest(folder.manifest)
        built = f"{folder.name} was built at {manifest.generated_at:%Y-%m-%d %H:%M} UTC"
    except MeshError as error:
        yield _failed("machine", "manifest", error)
        return
    if manifest.project == folder.name:
        yield _saw("machine", "manifest", "ok", built)
    else:
        what = f"{folder.manifest}: this is the manifest of {manifest.project}, not of {folder.name}"
        yield _saw("machine", "manifest", "error", what, f"cd {folder.path} && dbt build")


# -- dbt --------------------------------------------------------------------------------------------------------------


def _dbt(members: Iterable[Member]) -> Iterator[Observation]:
    core = _version("dbt-core")
    looms = [f"{m.name} reads {u.name}" for m in members for u in m.upstreams if u.way == "loom"]
    if core is None:
        elsewhere = shutil.which("dbt")
        what = f"dbt is {elsewhere}, of another environment" if elsewhere else "dbt is not installed"
        then = "" if elsewhere else "pip install dbt-core dbt-snowflake"
        yield _saw("dbt", "dbt-core", "note" if elsewhere else "warning", what, then)
        return
    if _numbers(core) < _OLDEST_DBT:
        what = f"dbt-core {core} writes manifests without public models"
        yield _saw("dbt", "dbt-core", "error", what, "pip install 'dbt-core>=1.5'")
    else:
        yield _saw("dbt", "dbt-core", "ok", f"dbt-core {core}")
    if snowflake := _version("dbt-snowflake"):
        yield _saw("dbt", "dbt-snowflake", "ok", f"dbt-snowflake {snowflake}")
    else:
        yield _saw("dbt", "dbt-snowflake", "warning", "dbt-snowflake is not installed", "pip install dbt-snowflake")
    if looms:
        yield _loom(core, looms[0])


def _loom(core: str, reader: str) -> Observation:
    loom = _version("dbt-loom")
    if _numbers(core) >= (_WITHOUT_PLUGINS,):
        then = "write as: sources in mesh.yml, or build with dbt-core 1"
        return _saw("dbt", "dbt-loom", "error", f"{reader} as loom, and dbt-core {core} takes no plugins", then)
    if loom is None:
        return _saw(
            "dbt", "dbt-loom", "error", f"{reader} as loom, and dbt-loom is not installed", "pip install dbt-loom"
        )
    return _saw("dbt", "dbt-loom", "ok", f"dbt-loom {loom}")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package) or None
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(digits) for digits in re.findall(r"\d{1,9}", version)[:2])


# -- Snowflake --------------------------------------------------------------------------------------------------------


def _snowflake(folders: Iterable[ProjectFolder], request: ExaminationRequest) -> Iterator[Observation]:
    """What is the same for several projects is asked and told once."""
    told = set[Address | Observation]()
    for folder in folders:
        found = _account(folder, request)
        if found not in told:
            told.add(found)
            yield _answer(found) if isinstance(found, Address) else found


def _account(folder: ProjectFolder, request: ExaminationRequest) -> Address | Observation:
    profiles = find_profiles(folder.path, request.profiles, request.environment)
    try:
        return read_address(folder.path, profiles, request.target, request.environment)
    except DocumentError as error:
        return _failed("snowflake", "profile", error, "warning")
    except NotSaidError as error:
        return _saw("snowflake", "account", "note", f"{profiles}: the account is not tried; {error}")


def _answer(address: Address) -> Observation:
    """Whether somebody listens there; over TLS, whether it is who it says."""
    if address.protocol == "https" and getproxies().get("https") and not proxy_bypass(address.host):
        return _saw("snowflake", "account", "note", f"{address}: not tried, it is behind the proxy of HTTPS_PROXY")
    try:
        with socket.create_connection((address.host, address.port), timeout=_CONNECT_SECONDS) as connection:
            if address.protocol == "https":
                ssl.create_default_context().wrap_socket(connection, server_hostname=address.host).close()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        return _saw("snowflake", "account", "warning", f"{address} does not answer: {reason}", _NETWORK)
    return _saw("snowflake", "account", "ok", f"{address} answers")


# -- registry ---------------------------------------------------------------------------------------------------------


def _registry(registry: Registry, request: ExaminationRequest) -> Iterator[Observation]:
    own = frozenset(member.name for member in request.members)
    try:
        if isinstance(registry.store, S3Store):
            yield from _as_they_come(_LOOK_SECONDS, _connection(registry.store))
        yield from _as_they_come(_LOOK_SECONDS, _readings(registry, request))
        yield from _as_they_come(_LOOK_SECONDS, look_at_store(registry.store, own))
    except RegistryError as error:
        yield _failed("registry", REACH, error)
        return
    except TimeoutError:
        yield _silent(REACH, registry, _LOOK_SECONDS)
        return
    if not request.read_only:
        try:
            yield from _as_they_come(_PROBE_SECONDS, probe_store(registry.store))
        except TimeoutError:
            yield _silent("probes", registry, _PROBE_SECONDS)


def _connection(store: S3Store) -> Iterator[Observation]:
    found: Connection = store.connection()
    region = f", region {found.region}" if found.region else ""
    vouched = "" if store.is_amazons() else "; not AWS, so every publication proves that conditions hold"
    yield _saw("registry", "endpoint", "ok", f"{found.endpoint}{region}{vouched}")
    if found.expires_soon:
        then = "log in again, or ask for a longer session, before a long job"
        yield _saw(
            "registry", "credentials", "warning", f"credentials from {found.credentials} end within 15 min", then
        )
    else:
        yield _saw("registry", "credentials", "ok", f"credentials from {found.credentials}")
    if found.skew is not None and abs(found.skew) > _SKEW_SECONDS:
        side = "ahead of" if found.skew > 0 else "behind"
        what = f"this machine's clock is {abs(found.skew):.0f} s {side} the store's, and 900 s are refused"
        yield _saw("registry", "clock", "warning", what, "set the clock: timedatectl set-ntp true")
    elif found.skew is not None:
        yield _saw("registry", "clock", "ok", f"this machine's clock agrees with the store's ({found.skew:+.0f} s)")


def _readings(registry: Registry, request: ExaminationRequest) -> Iterator[Observation]:
    """What a sync reads, read: a role is one project's, so it has to read what the project in this folder needs, and
    need not read what others do. In a folder of none it has to read everything.
    """
    here = [member for member in request.members if member.path.resolve() == request.here.resolve()]
    read: dict[tuple[str, str], Publication | None] = {}
    for member in request.members:
        for upstream in member.upstreams:
            yield _upstream(registry, request, member, upstream, read, needed=member in (here or request.members))
    for member in here:
        yield from _own_state(registry, request, member)


def _upstream(
    registry: Registry,
    request: ExaminationRequest,
    member: Member,
    upstream: Upstream,
    read: dict[tuple[str, str], Publication | None],
    *,
    needed: bool,
) -> Observation:
    environments = upstream.environments or request.reads
    try:
        for environment in environments:
            place = upstream.name, environment
            if place not in read:
                read[place] = _published(registry, *place)
            if published := read[place]:
                what = f"{member.name} reads {published} of {published.published_at}"
                return _saw("registry", "upstream", "ok", what)
    except IntegrityError as error:
        return _failed("registry", "upstream", error)
    except RegistryError as error:
        if not forbids(error):
            raise
        what = f"{member.name} reads {upstream.name}, and this role may not: {error.where}: {error.what}"
        if not needed:
            return _saw("registry", "upstream", "note", what)
        then = f"let this role read and list {upstream.name}/ in the registry, or ask as the role of {member.name}"
        return _saw("registry", "upstream", "error", what, then)
    places = " or ".join(map(repr, environments))
    what = f"{member.name} reads {upstream.name}, which has published nothing in {places}"
    known = any(upstream.name == other.name for other in request.members)
    then = f"correct the name in mesh.yml, or publish {upstream.name} in {environments[-1]} first"
    return _saw("registry", "upstream", "warning" if known else "error", what, then)


def _published(registry: Registry, project: str, environment: str) -> Publication | None:
    """What is current, its interface read."""
    entry = registry.newest(project, environment)
    return None if entry is None else registry.interface(project, environment, entry.record)[1]


def _own_state(registry: Registry, request: ExaminationRequest, member: Member) -> Iterator[Observation]:
    try:
        for environment in request.reads:
            registry.current_with_state(member.name, environment)
    except IntegrityError as error:
        yield _failed("registry", "state", error)
    except RegistryError as error:
        if not forbids(error):
            raise
        what = f"this role may not read what {member.name} defers to: {error.where}: {error.what}"
        then = f"whoever checks pull requests need not; a build is done as the role of {member.name}"
        yield _saw("registry", "state", "note", what, then)


def _silent(check: str, registry: Registry, seconds: int) -> Observation:
    what = f"{registry.store.root} does not answer within {seconds} s"
    return _saw("registry", check, "error", what, "check the network and AWS_ENDPOINT_URL, then run the same again")


# -- tools ------------------------------------------------------------------------------------------------------------


def _as_they_come(seconds: float, items: Iterator[T]) -> Iterator[T]:
    """The items as they are made; raises TimeoutError when they take longer in all. Whoever makes them is left behind
    in a daemon thread then, which does not hold up the end of the process.
    """
    made: SimpleQueue[tuple[T] | Exception | None] = SimpleQueue()

    def make() -> None:
        try:
            for item in items:
                made.put((item,))
            made.put(None)
        except Exception as error:  # noqa: BLE001  # raised again where it is waited for
            made.put(error)

    threading.Thread(target=make, daemon=True).start()
    end = time.monotonic() + seconds
    while True:
        try:
            item = made.get(timeout=max(0.0, end - time.monotonic()))
        except Empty:
            raise TimeoutError from None
        if item is None:
            return
        if isinstance(item, Exception):
            raise item
        yield item[0]


def _failed(area: str, check: str, error: MeshError, verdict: Verdict = "error") -> Observation:
    what = f"{error.where}: {error.what}" if error.where else error.what
    return _saw(area, check, verdict, what, error.then)


def _saw(area: str, check: str, verdict: Verdict, what: str, then: str = "") -> Observation:
    return Observation(area=area, check=check, verdict=verdict, what=what, then=then)
