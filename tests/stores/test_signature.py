"""Our signature is AWS's: its published examples, and botocore's own signer for whatever may stand in a key."""

from types import SimpleNamespace
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SdkCredentials
from hypothesis import given
from hypothesis import strategies as st

from registry_tools.registry.signature import Credentials, Request, signed_headers

# Amazon S3 API Reference, Authenticating Requests: Using the Authorization Header, Examples: Signature Calculations
EXAMPLE = Credentials(access_key="AKIAIOSFODNN7EXAMPLE", secret_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
EXAMPLE_HOST = "examplebucket.s3.amazonaws.com"
EXAMPLE_TIME = "20130524T000000Z"

AWKWARD = st.text(
    st.one_of(
        st.sampled_from(" +~/%&=?#:;,'\"()*!<>@$[]\\äé日🦆\u0301"), st.characters(exclude_categories=("Cs", "Cc"))
    ),
    max_size=20,
)
WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
PLACES = st.sampled_from(
    [("mesh.s3.eu-west-1.amazonaws.com", "/"), ("127.0.0.1:9000", "/mesh/"), ("s3.local", "/mesh/")]
)


@pytest.mark.parametrize(
    ("request_", "signature"),
    [
        (
            Request(host=EXAMPLE_HOST, path="/test.txt", headers={"Range": "bytes=0-9"}),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            Request(host=EXAMPLE_HOST, path="/", query={"max-keys": "2", "prefix": "J"}),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
        (
            Request(host=EXAMPLE_HOST, path="/", query={"lifecycle": ""}),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
    ],
    ids=["GET Object", "GET Bucket", "GET lifecycle"],
)
def test_the_published_examples(request_: Request, signature: str) -> None:
    headers = signed_headers(request_, EXAMPLE, "us-east-1", EXAMPLE_TIME)
    assert headers["authorization"].endswith(f"Signature={signature}")
    assert "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request" in headers["authorization"]


def by_botocore(request: Request, credentials: Credentials, region: str, time: str) -> str:
    sdk = SdkCredentials(credentials.access_key, credentials.secret_key, credentials.token)
    asked = AWSRequest("GET", f"https://{request.host}{request.target}", dict(request.headers), b"")
    asked.context.update(timestamp=time, payload_signing_enabled=True)
    asked.headers["Host"] = request.host
    signer = S3SigV4Auth(sdk, "s3", region)
    asked.headers["X-Amz-Date"] = time
    if credentials.token:
        asked.headers["X-Amz-Security-Token"] = credentials.token
    asked.headers["X-Amz-Content-SHA256"] = signer.payload(asked)
    proof = signer.signature(signer.string_to_sign(asked, signer.canonical_request(asked)), asked)
    signed = signer.signed_headers(signer.headers_to_sign(asked))
    return f"AWS4-HMAC-SHA256 Credential={signer.scope(asked)}, SignedHeaders={signed}, Signature={proof}"


@given(
    place=PLACES,
    key=AWKWARD,
    query=st.dictionaries(AWKWARD.filter(bool), AWKWARD, max_size=5),
    secret=WORDS,
    token=st.none() | WORDS,
    checksum=st.booleans(),
)
def test_it_is_the_signature_of_botocore(place, key, query, secret, token, checksum) -> None:
    host, path = place
    headers = {"x-amz-checksum-mode": "ENABLED"} if checksum else {}
    request = Request(host=host, path=path + key, query=query, headers=headers)
    credentials = Credentials(access_key="AKIAPLANTED", secret_key=secret, token=token)
    ours = signed_headers(request, credentials, "eu-west-1", EXAMPLE_TIME)
    assert ours["authorization"] == by_botocore(request, credentials, "eu-west-1", EXAMPLE_TIME)
    assert ours.get("x-amz-security-token") == token


@given(key=AWKWARD, query=st.dictionaries(AWKWARD.filter(bool), AWKWARD, max_size=5))
def test_what_goes_over_the_wire_is_what_was_asked(key: str, query: dict[str, str]) -> None:
    target = Request(host="h", path=f"/mesh/{key}", query=query).target
    assert target.isascii()
    assert not any(letter.isspace() for letter in target)
    parts = urlsplit(f"https://h{target}")
    assert unquote(parts.path) == f"/mesh/{key}"
    assert dict(parse_qsl(parts.query, keep_blank_values=True)) == query


def test_only_the_id_of_a_key_is_ever_shown() -> None:
    shown = repr(SimpleNamespace(who=Credentials(access_key="AKIA", secret_key="PLANTED", token="PLANTED")))
    assert "AKIA" in shown
    assert "PLANTED" not in shown
