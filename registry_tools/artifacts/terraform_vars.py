"""A deployment in, the variables of aws_setup/ out: who publishes, whom each reads, and which tokens prove it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from registry_tools.artifacts.files import GeneratedFile
from registry_tools.errors import UsageError
from registry_tools.mesh.deployment import PULL_REQUEST_ROLE, AwsTerms, DeployedProject, Deployment

PATH: Final = Path("aws_setup/mesh.auto.tfvars.json")
# IAM, Quotas: characters of a role's name.
_LONGEST_ROLE: Final = 64


def terraform_variables(deployment: Deployment) -> tuple[GeneratedFile, ...]:
    """The file that Terraform reads by itself. It is JSON, which has no comments, and so carries no mark.

    Raises UsageError where mesh.yml does not say in which AWS account the registry stands, or how a project's CI
    proves who it is.
    """
    aws = deployment.aws
    if aws is None:
        then = 'write aws: {account: "123456789012", region: eu-central-1, bucket: acme-dbt-mesh}'
        raise UsageError("'aws' is missing: where does the registry stand?", where="mesh.yml", then=then)
    subjects = {project.name: _subject(project) for project in deployment.projects}
    document = {
        "account": aws.account,
        "region": aws.region,
        "bucket": aws.bucket,
        "prefix": aws.prefix,
        "projects": {project.name: _project(project, deployment, aws) for project in deployment.projects},
        "pull_requests": {
            "role": PULL_REQUEST_ROLE,
            "subjects": sorted({f"{subject}:pull_request" for subject in subjects.values()}),
        },
    }
    content = json.dumps(document, indent=2, sort_keys=True) + "\n"
    return (GeneratedFile(path=PATH, content=content.encode(), guarded=False),)


def _project(project: DeployedProject, deployment: Deployment, aws: AwsTerms) -> dict[str, Any]:
    role = aws.role_name(project.name)
    if len(role) > _LONGEST_ROLE:
        what = f"the role {role} has {len(role)} characters, and AWS takes {_LONGEST_ROLE}"
        raise UsageError(what, where=f"mesh.yml: projects.{project.name}", then="give the project a shorter name")
    return {
        "role": role,
        "subjects": list(_subjects(project)),
        "upstreams": sorted(project.upstreams),
        "consumers": _readers(project, deployment),
    }


def _subjects(project: DeployedProject) -> Iterator[str]:
    """What GitHub's tokens say of the jobs that may publish: those in the project's own environments that last."""
    lasting = sorted(place.environment for place in project.places if place.lasting)
    if not lasting:
        what = f"nobody reads any environment of {project.name}, so none of its jobs would publish"
        raise UsageError(what, where="mesh.yml: environments", then="write prod: {reads: prod}")
    for environment in lasting:
        yield f"{_subject(project)}:environment:{project.github_environment(environment)}"


def _subject(project: DeployedProject) -> str:
    if project.subject is None:
        what = f"nothing says which repository {project.name} is published from"
        then = f"write github: {{repository: owner/name}} at the top, or projects.{project.name}.repository"
        raise UsageError(what, where="mesh.yml", then=then)
    return project.subject


def _readers(project: DeployedProject, deployment: Deployment) -> list[str]:
    """Who reads the project, and who reads those in turn: a check asks all of them (registry.consumers)."""
    found: set[str] = set()
    waiting = set(project.consumers)
    while waiting:
        found |= waiting
        known = filter(None, map(deployment.project, waiting))
        waiting = {name for consumer in known for name in consumer.consumers} - found
    return sorted(found - {project.name})
