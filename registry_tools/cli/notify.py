"""`mesh notify`: what was published, refused or is about to leave in, one message to a webhook out."""

import os
from pathlib import Path
from typing import Any

import click

from registry_tools.artifacts.notice_words import headline
from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.opening import open_from, selected
from registry_tools.cli.options import environment_option, flags, project_option, registry_options
from registry_tools.cli.output import done, show_json
from registry_tools.errors import UsageError
from registry_tools.mesh.notice import Notice
from registry_tools.settings import Flags
from registry_tools.tasks.notify_webhook import FORMS, NewsRequest, body_of, form_for, gather_news, refusal, send
from registry_tools.webhook import SECRET, VARIABLE, Address, parse_address, parse_secret


@click.command("notify", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("selector", required=False, metavar="[PROJECT@ENV]")
@registry_options
@environment_option
@project_option
@click.option("--to", metavar="URL", help=f"The webhook's address, a secret.  [default: ${VARIABLE}]")
@click.option("--format", "form", type=click.Choice(FORMS), help="The form of the message.  [default: by the host]")
@click.option(
    "--refused",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Tell a refusal: the file that mesh check --format json wrote.",
)
@click.option("--leaving", is_flag=True, help="Tell what leaves within --days days, and no publication.")
@click.option("--days", type=click.IntRange(1, 3650), default=30, help="How far ahead to look.  [default: 30]")
@click.option("--always", is_flag=True, help="Tell a publication that changed nothing as well.")
@click.option("--dry-run", is_flag=True, help="Print the message, and send nothing.")
@at_the_edge
def command(selector: str | None, project_dir: Path, form: Any, **options: Any) -> None:  # noqa: ANN401  # click's
    """Tell a webhook what was published, refused or is about to leave: the newest record of PROJECT@ENV, or of this
    project's, with what it changes, for whom, and what leaves soon.

    DBT_MESH_WEBHOOK_SECRET signs the message. Exit 3 says that nobody could be told; nothing is undone by that.
    """
    where = flags(options)
    address, secret = _receiver(options["to"], dry_run=options["dry_run"])
    notice = _notice(selector, where, project_dir, options)
    if notice is None:
        done("nothing to tell")
        return
    body = body_of(notice, form_for(form, address))
    if address is None or options["dry_run"]:
        show_json(body)
        return
    attempts = send(notice, body, address, secret)
    done(f"told {address.host}{f' at attempt {attempts}' * (attempts > 1)}: {headline(notice)}")


def _receiver(typed: str | None, *, dry_run: bool) -> tuple[Address | None, bytes | None]:
    """Where to send and the key to sign with; looked at before anything is read. Only a dry run needs no address."""
    text = os.environ.get(VARIABLE, "") if typed is None else typed
    if not text.strip() and not dry_run:
        raise UsageError("no webhook is named", then=f"set {VARIABLE} (a secret), or give --to")
    secret = os.environ.get(SECRET, "").strip()
    return parse_address(text) if text.strip() else None, parse_secret(secret) if secret else None


def _notice(selector: str | None, where: Flags, project_dir: Path, options: dict[str, Any]) -> Notice | None:
    if options["refused"] is not None:
        if selector or options["leaving"]:
            other = "PROJECT@ENV" if selector else "--leaving"
            raise UsageError(f"{other} and --refused are two events", then="tell them one after the other")
        return refusal(options["refused"], project_dir)
    opened = open_from(where, project_dir)
    request = NewsRequest(
        selector=selected(selector, project_dir, options["environment"]),
        days=options["days"],
        departures=options["leaving"],
        always=options["always"],
        owners=opened.mesh.owners,
    )
    return gather_news(request, opened.registry)
