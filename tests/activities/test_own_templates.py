"""The words of mails through the post offices of real workers: those of the installation's own folder, and those that
one cohort has of its own, put in force in the database while several workers run."""

from __future__ import annotations

from pathlib import Path

import pytest

from activities.messages import DeliverInput
from mail.own_templates import SHARED, OwnTemplates
from mail.wording import SHIPPED
from runtime.settings import Settings
from store.cohorts import mail_templates
from testing.cohorts.small_cohort import COHORT, item
from testing.environments.delivery_env import HOUR, MINUTE, NINE, SECRET, SENDER, DeliveryEnv, about
from worker import make_post_office

CHECK_IN = (SHIPPED / "en" / "check_in.md").read_text("utf-8")
TRANSFERRED = (SHIPPED / "en" / "transferred.md").read_text("utf-8")


async def put(delivery_env: DeliveryEnv, own: OwnTemplates) -> None:
    """Put these templates in force."""
    async with delivery_env.database.begin() as session:
        await mail_templates.put(session, COHORT, own)


def settings(folder: Path) -> Settings:
    """Settings of an installation with a folder of its own."""
    return Settings(
        secret=SECRET,
        mail_from=SENDER,
        config=str(folder),
        public_url="https://mentoring.example.org",
        _env_file=None,  # pyright: ignore[reportCallIssue]
    )


async def test_every_worker_words_a_mail_by_what_is_in_force(delivery_env: DeliveryEnv, tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "mail" / "en"
    folder.mkdir(parents=True)
    (folder / "check_in.md").write_text(CHECK_IN.replace("Check-in {{", "Our installation {{"), "utf-8")
    transport = delivery_env.post_office._office.transport
    one, two = (make_post_office(settings(tmp_path), delivery_env.database, transport) for _ in range(2))

    await delivery_env.post(item("ada"))
    await one.deliver(DeliverInput(0, NINE))
    [mail] = delivery_env.sink.mails_to("ada@example.org")
    assert "Our installation 1" in mail.message["Subject"]

    await put(delivery_env, OwnTemplates.of({"en/transferred": TRANSFERRED + "\nIn the words of this cohort.\n"}))
    await delivery_env.post(about("transferred", "cleo"))
    await two.deliver(DeliverInput(0, NINE))
    [mail] = delivery_env.sink.mails_to("cleo@example.org")
    assert "In the words of this cohort." in mail.text


async def test_a_mail_worded_ahead_takes_the_words_that_are_in_force_when_it_goes(
    delivery_env: DeliveryEnv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.delivery.delivery_round.CROWD", 1)
    office = make_post_office(settings(tmp_path), delivery_env.database, delivery_env.post_office._office.transport)
    own = OwnTemplates.of({"en/transferred": TRANSFERRED + "\nThe words of this cohort.\n"})
    await put(delivery_env, own)
    await delivery_env.post(about("transferred", "cleo"))
    await office.deliver(DeliverInput(0, NINE - 8 * HOUR))
    await office.deliver(DeliverInput(0, NINE - 10 * MINUTE))
    await put(delivery_env, SHARED)
    await office.deliver(DeliverInput(0, NINE))
    [mail] = delivery_env.sink.mails_to("cleo@example.org")
    assert "The words of this cohort." not in mail.text
    async with delivery_env.database.session() as session:
        assert await mail_templates.known(session, own.digest) == own, "what was in force is kept"
