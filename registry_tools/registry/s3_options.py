"""What mesh.yml says about reaching a bucket, and what the environment says above it: the settings of both doors."""

from collections.abc import Mapping
from dataclasses import dataclass

ENCRYPTIONS = ("AES256", "aws:kms")


@dataclass(frozen=True, kw_only=True, slots=True)
class S3Options:
    """How a bucket is reached and how what is written there is encrypted; what is None is left to AWS.

    Timeouts are in seconds, for one connection and for one wait for bytes. `kms_key` is a key's id, ARN or alias.
    """

    endpoint: str | None = None
    region: str | None = None
    path_style: bool = False
    kms_key: str | None = None
    sse: str | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 60.0

    def encryption(self) -> dict[str, str]:
        """What every PUT has to ask for, in S3's words."""
        if self.kms_key:
            return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key}
        return {"ServerSideEncryption": self.sse} if self.sse else {}

    def endpoint_in(self, environment: Mapping[str, str]) -> str | None:
        """Where requests go, if not to AWS: the variables that every AWS tool reads beat mesh.yml."""
        return environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL") or self.endpoint

    def region_in(self, environment: Mapping[str, str]) -> str | None:
        """The bucket's region: AWS_REGION beats AWS_DEFAULT_REGION, as for the AWS CLI, and both beat mesh.yml."""
        return environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or self.region
