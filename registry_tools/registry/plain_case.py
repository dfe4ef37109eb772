"""The environment and mesh.yml's options in, all that a signed read needs out, or nothing where boto3 has to look.

The case is plain when there is nothing to look up: keys and region stand in the environment, and no profile, no
settings file, no proxy and no further AWS variable could say otherwise.
"""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from registry_tools.registry.s3_options import S3Options
from registry_tools.registry.signature import Credentials

# Variables that change nothing in a read signed with keys from the environment. Any other AWS_ variable does, or may.
_HARMLESS: Final = frozenset(
    {
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        *("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"),
        *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"),  # whether they exist is looked at
        *("AWS_ACCOUNT_ID", "AWS_DEFAULT_OUTPUT", "AWS_EC2_METADATA_DISABLED", "AWS_EXECUTION_ENV", "AWS_PAGER"),
        *("AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE"),  # keys beat them
    }
)
_FILES: Final = (("AWS_CONFIG_FILE", "~/.aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"))
_BUNDLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
# Letters that may stand in a header: no line break, which CI systems leave at the end of a secret, gets there.
_WORD: Final = re.compile(r"[!-~]+")
# A DNS label. Two hyphens in a row mark buckets of other kinds, which are signed otherwise.
_BUCKET: Final = re.compile(r"[a-z0-9](?:[a-z0-9]|-(?!-)){1,61}[a-z0-9]")
# Those below amazonaws.com; the regions of other partitions have domains of their own.
_REGION: Final = re.compile(r"(?!cn-)[a-z]{2}-(?:gov-)?(?:north|south|east|west|central)(?:east|west)?-\d")
_HOST: Final = re.compile(r"[A-Za-z0-9.-]+(?::\d+)?")
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where a bucket is reached: `path` is what stands before each key."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def secure(self) -> bool:
        """Whether over TLS."""
        return self.scheme == "https"

    @property
    def name(self) -> str:
        """Host and port as in the Host header."""
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"


@dataclass(frozen=True, kw_only=True, slots=True)
class PlainCase:
    """All that a signed read needs. Timeouts are in seconds."""

    address: Address
    credentials: Credentials
    region: str
    connect_timeout: float
    read_timeout: float


def plain_case(bucket: str, options: S3Options, environment: Mapping[str, str]) -> PlainCase | None:
    """How to read this bucket without boto3, or None where only boto3 knows how."""
    if _has_settings(environment):
        return None
    region, credentials = options.region_in(environment) or "", _credentials(environment)
    address = _address(bucket, region, options, environment)
    if credentials is None or address is None or not _REGION.fullmatch(region) or _is_proxied(address, environment):
        return None
    return PlainCase(
        address=address,
        credentials=credentials,
        region=region,
        connect_timeout=options.connect_timeout,
        read_timeout=options.read_timeout,
    )


def _has_settings(environment: Mapping[str, str]) -> bool:
    """Whether there is more to know than keys, region and endpoint. What is not known to be harmless counts."""
    more = (name for name, value in environment.items() if value and name.startswith("AWS_") and name not in _HARMLESS)
    files = (environment.get(name) or default for name, default in _FILES)
    return any(more) or any(environment.get(name) for name in _BUNDLES) or any(map(_exists, files))


def _exists(file: str) -> bool:
    return Path(os.path.expandvars(os.path.expanduser(file))).exists()  # noqa: PTH111  # a missing home is no error


def _credentials(environment: Mapping[str, str]) -> Credentials | None:
    access_key, secret_key = environment.get("AWS_ACCESS_KEY_ID", ""), environment.get("AWS_SECRET_ACCESS_KEY", "")
    token = environment.get("AWS_SESSION_TOKEN") or None
    if not all(_WORD.fullmatch(word) for word in (access_key, secret_key, token or "none")):
        return None
    return Credentials(access_key=access_key, secret_key=secret_key, token=token)


def _address(bucket: str, region: str, options: S3Options, environment: Mapping[str, str]) -> Address | None:
    """On AWS a host of the bucket's own; at an endpoint, or as `path_style` asks, the bucket is in the path."""
    if not _BUCKET.fullmatch(bucket) or bucket.endswith("-s3alias"):
        return None
    if endpoint := options.endpoint_in(environment):
        return _at(endpoint, f"/{bucket}/")
    host = f"s3.{region}.amazonaws.com"
    if options.path_style:
        return Address(scheme="https", host=host, port=_PORTS["https"], path=f"/{bucket}/")
    return Address(scheme="https", host=f"{bucket}.{host}", port=_PORTS["https"], path="/")


def _at(endpoint: str, path: str) -> Address | None:
    """Scheme, host and port, and nothing else. Of Amazon's own endpoints boto3 knows how each wants to be asked."""
    scheme, _, rest = endpoint.partition("://")
    if scheme not in _PORTS or not _HOST.fullmatch(rest.removesuffix("/")) or ".amazonaws.com" in rest:
        return None
    try:
        parts = urlsplit(endpoint)
        return Address(scheme=scheme, host=parts.hostname or "", port=parts.port or _PORTS[scheme], path=path)
    except ValueError:
        return None


def _is_proxied(address: Address, environment: Mapping[str, str]) -> bool:
    named = any(name.lower() == f"{address.scheme}_proxy" and value for name, value in environment.items())
    if not named and sys.platform != "darwin":  # which has settings of its own
        return False
    from urllib.request import getproxies, proxy_bypass

    return address.scheme in getproxies() and not proxy_bypass(address.name)
