"""The options of commands that read what `open_log` gives."""

from pathlib import Path

import click

from_option = click.option(
    "--from", "log", type=click.Choice(["journal", "kafka"]), help="Which log to read."
)
archive_option = click.option(
    "--archive", type=click.Path(path_type=Path), help="Read this archive first, then Kafka."
)
